"""The wire to the centre's broker."""
