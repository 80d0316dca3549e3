"""What a cabinet's meter says of everything behind it."""
