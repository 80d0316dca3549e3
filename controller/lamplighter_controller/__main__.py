"""`python -m lamplighter_controller`."""

from lamplighter_controller.cli import main

main()
