"""Which lines of a refused request are to blame: halve until one is left alone."""

from collections.abc import Callable, Sequence
from typing import Final

from lamplighter_controller.series.influx.http import LinesRefused

REQUESTS: Final = 200


def store_all_but(write: Callable[[bytes], None], lines: Sequence[bytes]) -> dict[int, str]:
    """Store the lines; per line that is refused, its index and the server's words.

    When `REQUESTS` are used up the lines not yet settled count as refused: too many are bad to look at each.
    """
    refused: dict[int, str] = {}
    open_spans = [(0, len(lines))]
    for _ in range(REQUESTS):
        if not open_spans:
            return refused
        first, end = open_spans.pop()
        try:
            write(b"".join(lines[first:end]))
        except LinesRefused as error:
            middle = (first + end) // 2
            if middle == first:
                refused[first] = str(error)
            else:
                open_spans += [(middle, end), (first, middle)]
    for first, end in open_spans:
        refused |= dict.fromkeys(range(first, end), "refused together with too many others")
    return refused
