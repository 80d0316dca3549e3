"""What a surveyor of the simulated city would hand in: files that an inventory takes."""
