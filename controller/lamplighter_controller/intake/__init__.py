"""Frames in, acks out: what is acknowledged is in the series store, in the ledger, or on the dead-letter list."""
