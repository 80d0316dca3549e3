"""The centre: intake, state, commands, API."""
