"""Diagnosis: which thing is broken, how sure, and what to take along."""
