"""Commands: judged, stored, acted on, read back, and answered for."""
