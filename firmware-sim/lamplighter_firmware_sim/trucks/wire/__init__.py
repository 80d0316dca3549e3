"""What terminals of trucks speak: JT/T 808 over TCP, JSON over MQTT. Written from the standard's tables."""
