"""The embedded store: one DuckDB database file, owned by one process."""
