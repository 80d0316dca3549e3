"""What both sides hold true of trucks: when a limit may be set, and how."""
