"""`python -m lamplighter_controller`."""

from lamplighter_controller.cli.controller import main

main()
