"""Energy against a baseline, and the bill; pure."""
