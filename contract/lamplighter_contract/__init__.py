"""What gateway and controller say to each other. Pure: no sockets, no files, no tasks."""
