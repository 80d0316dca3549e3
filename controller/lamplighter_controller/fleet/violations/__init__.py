"""Violations: findings that became records, one for each episode."""
