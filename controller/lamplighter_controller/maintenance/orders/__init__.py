"""Work orders: what they may become, who has them, what proves them."""
