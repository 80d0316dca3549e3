"""Incidents: findings with a life of their own, from the first evidence to the file."""
