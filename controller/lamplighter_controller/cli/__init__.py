"""The command lines: `lamplighter-controller` runs the centre, `lamplighter` speaks to one over its API."""
