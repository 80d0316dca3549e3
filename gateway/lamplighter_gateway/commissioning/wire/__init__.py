"""One question and what was heard, on a line that nothing is taken for granted of."""
