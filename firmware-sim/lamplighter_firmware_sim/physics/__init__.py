"""How lamps, cables and the sky behave. Functions on numpy columns; one plant holds the city's state."""
