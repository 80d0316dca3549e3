"""Maintenance from a terminal."""
