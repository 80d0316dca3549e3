"""The fleet over HTTP: the register, trucks live and before, violations, limits, policies, figures."""
