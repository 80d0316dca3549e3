"""Accounts of people: passwords, one-time codes, sessions."""
