"""The script that alembic runs: the migrations, on the connection that `store.database` gives."""

from alembic import context

from nextlabel.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata", Base.metadata),
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
