"""Maintenance over HTTP: orders and their life, crews and trips, parts, figures and reports."""
