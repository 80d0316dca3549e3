"""Nouns of the fleet."""
