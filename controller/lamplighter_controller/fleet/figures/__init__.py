"""What is told of the fleet over a time: companies, tracks, the whole fleet played again."""
