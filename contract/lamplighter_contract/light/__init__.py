"""Lighting control as pure rules: the sun, moments, programs, calendars, the plan, and who decides a lamp's level."""
