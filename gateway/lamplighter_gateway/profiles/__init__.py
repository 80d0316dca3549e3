"""Device profiles: register maps and JSON fields as data, so that a new device is a file and not code."""
