"""Putting a cabinet into service: which pole each lamp stands at, which circuit and phase feed it."""
