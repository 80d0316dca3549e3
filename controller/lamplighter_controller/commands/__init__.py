"""Commands: stored before they are sent, sent until accepted, and ended only by a result or by the clock."""
