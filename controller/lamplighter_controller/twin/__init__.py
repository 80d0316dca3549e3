"""The twin: what is known of every device now, in columns that rules read as arrays."""
