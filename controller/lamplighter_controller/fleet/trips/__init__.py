"""Trips from site to ground, what permits say of them, and which days a truck was heard."""
