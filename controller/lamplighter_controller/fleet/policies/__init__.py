"""Policies: what follows a violation by itself, tried over the past before it is switched on."""
