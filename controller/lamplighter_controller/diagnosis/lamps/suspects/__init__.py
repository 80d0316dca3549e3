"""Lamps under suspicion: what is gathered of each, and which class explains it."""
