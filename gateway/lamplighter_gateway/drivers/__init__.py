"""Drivers: each knows one wire, turns it into readings, and executes writes. None knows the uplink."""
