"""Lighting: what stands in the streets, and the plans it is lit by."""
