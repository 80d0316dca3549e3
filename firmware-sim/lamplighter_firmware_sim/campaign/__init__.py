"""Nights of telemetry of a supply tree in which known things go wrong, made in memory: no wire, no clock, no file."""
