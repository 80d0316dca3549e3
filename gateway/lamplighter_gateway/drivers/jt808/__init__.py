"""Trackers that speak JT/T 808 over TCP."""
