"""Parts of the figures about trucks."""
