"""Diagnosis on campaigns with known faults: how well, against what others do with the same data."""
