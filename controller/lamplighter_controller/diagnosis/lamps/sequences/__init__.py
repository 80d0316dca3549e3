"""Evidence that gathers reading by reading, and when it is enough for a suspicion."""
