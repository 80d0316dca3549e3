"""Where the sun stands, and when a night begins and ends."""
