"""Where things are: positions of the coordinate systems in use in China, brought to WGS-84."""
