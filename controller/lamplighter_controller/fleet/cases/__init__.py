"""The life of a violation after a rule has found it: reviewed, told, appealed, handed over, numbered, concluded."""
