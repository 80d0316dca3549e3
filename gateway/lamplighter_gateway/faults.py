"""Named points where a test may end the process; in service they do nothing."""

from collections.abc import Callable

FaultHook = Callable[[str], None]

STORED = "command-stored"
ACTED = "command-acted"
TOLD = "command-told"


def no_fault(_point: str) -> None:
    """Go on."""
