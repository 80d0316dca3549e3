"""What the engine of the fleet lives by: reports gathered into columns, state kept over a restart."""
