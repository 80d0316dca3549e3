"""What the service manager hears of us: sd_notify(3), one datagram per word, to the socket it named."""

import logging
import socket
from collections.abc import Mapping
from typing import Final

log = logging.getLogger(__name__)

SOCKET: Final = "NOTIFY_SOCKET"
WATCHDOG: Final = "WATCHDOG_USEC"
READY: Final = "READY=1"
ALIVE: Final = "WATCHDOG=1"
STOPPING: Final = "STOPPING=1"


class ServiceManager:
    """Says nothing where nobody asked to be told."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the manager's socket, and whether it watches, from the environment it gave."""
        address = environment.get(SOCKET, "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watches = bool(environment.get(WATCHDOG))
        self._failing = False

    def ready(self) -> None:
        """Everything runs."""
        self._tell(READY)

    def alive(self) -> None:
        """The loop that keeps the lamps right has just come round: to be said by it, never by a timer of its own."""
        if self._watches:
            self._tell(ALIVE)

    def stopping(self) -> None:
        """The end was asked for."""
        self._tell(STOPPING)

    def _tell(self, word: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.setblocking(False)
                out.sendto(word.encode(), self._address)
        except OSError as error:
            if not self._failing:
                log.warning("the service manager cannot be told %s: %s", word, error)
            self._failing = True
        else:
            self._failing = False
