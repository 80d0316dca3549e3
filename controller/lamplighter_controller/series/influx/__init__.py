"""InfluxDB: line protocol in, InfluxQL out, over the v1 or the v2 write path."""
