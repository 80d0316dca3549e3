"""Diagnosis over a file of anybody's own telemetry: the same engine, no server."""
