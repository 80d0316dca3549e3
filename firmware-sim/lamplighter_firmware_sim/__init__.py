"""Simulated lamps, cabinets and trackers that speak the real wires."""
