"""What keeps people safe at work: circuits isolated, devices locked. Apart from plan and overrides, and without end."""
