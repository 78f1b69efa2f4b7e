import sqlalchemy as sa
from alembic import op

revision = "a3"
down_revision = "a1"


def upgrade():
    with op.batch_alter_table("users") as batch:
        batch.alter_column("email", existing_type=sa.String, nullable=False)
