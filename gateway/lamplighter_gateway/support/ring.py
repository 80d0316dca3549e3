"""The newest lines of the log, in memory: a flash chip is not worn for them, and nobody has to drive out for them."""

import logging
from collections import deque
from typing import Final

MOST_BYTES: Final = 1024 * 1024


class Ring(logging.Handler):
    """Keeps what was logged last, oldest first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Begin with nothing."""
        super().__init__()
        self._most_bytes, self._bytes = most_bytes, 0
        self._lines: deque[str] = deque()

    def emit(self, record: logging.LogRecord) -> None:
        """One more line, perhaps with a trace."""
        line = self.format(record)
        self._lines.append(line)
        self._bytes += len(line)
        while self._bytes > self._most_bytes:
            self._bytes -= len(self._lines.popleft())

    def text(self) -> str:
        """Everything that is kept."""
        return "\n".join(tuple(self._lines))
