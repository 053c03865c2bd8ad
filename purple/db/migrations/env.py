"""Alembic runs this; `purple.db.migrate` hands it the connection."""

from alembic import context

from purple.db.models import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, compare_type=False)
with context.begin_transaction():
    context.run_migrations()
