"""What is on record of the fleet: who, which trucks, where, by which permit."""
