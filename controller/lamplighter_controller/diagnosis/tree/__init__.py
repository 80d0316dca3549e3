"""The supply tree as judge: the fewest nodes that explain what is silent and what is not as it should be."""
