"""Figures of maintenance, each with numerator, denominator, definition and the list behind it."""
