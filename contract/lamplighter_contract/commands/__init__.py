"""Commands: what may be asked, who signed it, how it ends."""
