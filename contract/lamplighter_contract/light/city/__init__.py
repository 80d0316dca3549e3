"""The same rules for every lamp of a city at once. Needs numpy, which gateways do without: they import none of it."""
