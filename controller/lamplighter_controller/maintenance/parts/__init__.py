"""Parts and material: what is in store, what went where, under which warranty."""
