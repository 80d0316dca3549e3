"""The command line: running a gateway, asking one, and tools that need none."""
