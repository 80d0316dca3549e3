"""Signals for adaptive rules: what sensors and counters say, judged at the centre and told to the gateways."""
