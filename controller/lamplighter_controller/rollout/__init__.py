"""Updates of gateways from the centre: one first, then a share, then all, and no further by itself on failures."""
