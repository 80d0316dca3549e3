"""Who may do what, and the trail of who did it."""
