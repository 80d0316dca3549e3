"""Trips from site to ground, the waybills that follow them, and which days a truck was heard."""
