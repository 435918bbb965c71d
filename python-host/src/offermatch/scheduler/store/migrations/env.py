"""What Alembic runs: the migrations on the connection it is handed, within the caller's transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
