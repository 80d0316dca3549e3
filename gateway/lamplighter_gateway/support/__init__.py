"""A bundle for whoever has to help from afar: logs, statistics, spool state, configuration; never a secret."""
