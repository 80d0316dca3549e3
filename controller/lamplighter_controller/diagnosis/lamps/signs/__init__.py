"""What a reading shows by itself, and whether it can be believed."""
