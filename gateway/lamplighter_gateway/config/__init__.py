"""The gateway's configuration: YAML in, checked values out, or every mistake at once."""
