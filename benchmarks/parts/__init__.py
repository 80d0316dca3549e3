"""What stands around the measured program: wires, stubs, peers and baselines."""
