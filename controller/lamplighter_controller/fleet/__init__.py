"""Muck trucks: what they carry where, judged by rules, limited by policies."""
