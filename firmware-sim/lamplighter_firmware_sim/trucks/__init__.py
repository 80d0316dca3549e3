"""Muck trucks on the roads of the sample city: what they do, what their terminals say of it, and how they lie."""
