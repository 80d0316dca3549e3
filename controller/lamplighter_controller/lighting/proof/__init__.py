"""The proof of the light: lit rate, energy against a baseline, the bill, burning hours. All of it night by night."""
