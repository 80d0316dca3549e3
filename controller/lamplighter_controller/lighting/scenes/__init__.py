"""Shows of light: named levels per group along a timeline, checked against the wires, played where the lamps are."""
