"""The time series: one port, DuckDB embedded, InfluxDB in a city."""
