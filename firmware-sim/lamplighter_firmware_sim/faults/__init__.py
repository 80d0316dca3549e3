"""What goes wrong in the simulated city, by schedule and by hand."""
