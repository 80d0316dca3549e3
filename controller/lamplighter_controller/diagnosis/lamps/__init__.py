"""What the readings of a lamp say of it: expected behaviour, sequential tests, classes."""
