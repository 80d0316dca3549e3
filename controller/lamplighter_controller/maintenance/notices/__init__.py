"""Notices: who is told of what by which way, again until it has arrived, and never twice."""
