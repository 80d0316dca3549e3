"""Levels by hand: for whom, how long, who has to approve them, and which are in force."""
