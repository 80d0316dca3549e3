"""Frames up: urgent before live before backlog, again and again until the centre says "stored"."""
