"""The messages between gateway and controller, read within bounds."""
