from alembic import context
from sqlalchemy import engine_from_config, event, pool

engine = engine_from_config(context.config.get_section(context.config.config_ini_section), poolclass=pool.NullPool)


@event.listens_for(engine, "connect")
def enforce(connection, record):
    connection.execute("PRAGMA foreign_keys = ON")


with engine.connect() as connection:
    connection.exec_driver_sql('PRAGMA foreign_keys = OFF')
    connection.commit()
    context.configure(connection=connection, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
