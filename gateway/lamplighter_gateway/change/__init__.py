"""Changing a running gateway: another configuration is tried, and taken back by itself when it cuts something off."""
