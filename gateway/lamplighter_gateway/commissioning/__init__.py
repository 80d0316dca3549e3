"""The installer's tools: find out what is wrong with a bus, who is on it, and where each lamp really stands."""
