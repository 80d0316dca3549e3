"""Modbus over TCP and RTU: what to ask, when, of whom, and what the answer means."""
