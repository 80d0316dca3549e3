"""Alembic's entry: runs the migrations on the connection it was handed."""

from alembic import context

from lamplighter_controller.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, when it is begun as databases.py begins it
    render_as_batch=True,
)
context.run_migrations()
