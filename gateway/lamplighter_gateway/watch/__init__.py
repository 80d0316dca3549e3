"""How the gateway fares: counters, health, metrics."""
