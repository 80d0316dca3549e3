"""What a gateway keeps to prove what a truck did: frames as they came, for a while, and photos."""
