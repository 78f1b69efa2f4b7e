import sqlalchemy as sa
from alembic import op

revision = "a4"
down_revision = "a1"


def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.create_index("one_post", "posts", ["user_id"], unique=True)
