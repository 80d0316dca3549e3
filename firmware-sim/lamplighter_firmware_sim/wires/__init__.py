"""What speaks to the outside: Modbus TCP, Modbus RTU and MQTT, all about the same city."""
