"""Diagnosis of the running city: readings as they are stored become steps, findings become incidents."""
