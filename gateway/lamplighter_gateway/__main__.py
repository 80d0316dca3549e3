"""`python -m lamplighter_gateway` is the command line."""

from lamplighter_gateway.cli.program import main

if __name__ == "__main__":
    main(prog_name="lamplighter-gateway")
