"""Active tests: a lamp is taken through a few levels and read back, where its readings alone leave a doubt."""
