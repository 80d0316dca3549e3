"""Trucks that another platform forwards: a signed feed over HTTP. They are seen, and cannot be commanded."""
