"""The store of results: schema, migrations, queries."""
