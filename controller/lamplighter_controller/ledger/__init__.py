"""The ledger: everything of the centre that must never be lost or half written, on SQLite or PostgreSQL.

A room adds its tables in three steps:

1. Its `store.py` declares them on the shared `ledger.tables.metadata` and keeps the queries: plain functions whose
   first argument is a SQLAlchemy `Connection`. They never commit; the transaction belongs to whoever calls.
2. `ledger/migrations/versions/<room>/` holds its migrations. The first one has `down_revision = None` and
   `branch_labels = ("<room>",)`; revision ids are `<room>_0001`, `<room>_0002`. A foreign key to another room's table
   is said by `depends_on`. Opening a ledger upgrades it to every head.
3. A test compares the migrated database with the declared tables, on both databases, so that the two never part.

Times are whole epoch milliseconds (`BigInteger`), JSON is text, flags are `Boolean`.
"""
