"""Inspection: who looks at what how often, by which list, and what comes of it."""
