"""How long lamps were lit, and what proves it; pure, columns for a whole city."""
