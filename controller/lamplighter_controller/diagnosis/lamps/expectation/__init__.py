"""What a lamp should draw: the level in force, its model's curve, the voltage, its own gain."""
