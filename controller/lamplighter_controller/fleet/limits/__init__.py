"""Limits of trucks: asked for, approved, held back by the interlock, sent, followed to their end."""
