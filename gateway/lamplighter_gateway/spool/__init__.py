"""The durable outbox: what was read or happened here stays until the centre has stored it."""
