"""The acceptance sheet: what was found, to be printed and signed."""
