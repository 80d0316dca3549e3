"""The broker: one port, MQTT outside, memory in tests."""
