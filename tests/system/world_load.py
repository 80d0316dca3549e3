"""Commands that keep flowing whatever happens, each recognisable by what it does to its lamp."""

import itertools
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import httpx

from tests.system.world_api import Api, Busy

LONGEST_S: Final = 600


@dataclass
class Commander:
    """Asks one lamp after the other to blink, `per_s` times a second, never the same lamp twice for as many seconds.

    A request whose answer was lost is asked again under its key, so that it is one request all the same.
    `taken` maps a request's id to the lamp and the seconds; `asked` holds everything that was ever sent.
    """

    api: Api
    lamps: Sequence[str]
    per_s: float = 5.0
    seed: int = 1
    taken: dict[str, tuple[str, int]] = field(default_factory=dict)
    asked: set[tuple[str, int]] = field(default_factory=set)
    unanswered: list[tuple[str, str, int]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commander", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask for nothing more."""
        self._stop.set()
        self._thread.join(30)

    def settle(self, timeout_s: float) -> None:
        """Ask again for everything whose answer was lost, until all is answered."""
        deadline = time.monotonic() + timeout_s
        while self.unanswered and time.monotonic() < deadline:
            self._ask(*self.unanswered.pop())
        assert not self.unanswered, f"{len(self.unanswered)} requests without an answer"

    def _run(self) -> None:
        chance = random.Random(self.seed)
        for number in itertools.count():
            if self._stop.wait(1 / self.per_s):
                return
            # A lamp's turn comes again after all the others, for one second more.
            device, seconds = chance.choice(self.lamps), 1 + number % LONGEST_S
            if (device, seconds) not in self.asked:
                self._ask(f"load-{self.seed}-{number}", device, seconds)

    def _ask(self, key: str, device: str, seconds: int) -> None:
        self.asked.add((device, seconds))
        try:
            request = self.api.identify(device, seconds, key=key, expires_s=60)
        except (httpx.TransportError, Busy):
            self.unanswered.append((key, device, seconds))
            time.sleep(0.1)
        else:
            self.taken[request] = (device, seconds)
