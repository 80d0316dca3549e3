"""Blocking calls in threads of their own, so that a database that hangs holds up nobody else."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
JOIN_TIMEOUT_S: Final = 5.0


@dataclass(slots=True)
class Call(Generic[T]):
    """One call on its way to a thread and back; `wanted` turns false when nobody waits for it any more."""

    work: Callable[["Call[T]"], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    wanted: bool = True

    def run(self) -> None:
        """Do the work, unless nobody wants it, and hand back what came of it."""
        if not self.wanted:
            return
        try:
            result = self.work(self)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is awaited
            self._hand_back(self.future.set_exception, error)
        else:
            self._hand_back(self.future.set_result, result)

    def _hand_back(self, settle: Callable[..., None], value: object) -> None:
        def settle_if_waiting() -> None:
            if not self.future.done():
                settle(value)

        # The loop is closed when the program ended while this call hung.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(settle_if_waiting)


@dataclass(slots=True)
class Threads:
    """Threads that take calls in order; daemons, because one that hangs must not keep the program from ending."""

    name: str
    count: int
    most_waiting: int
    _calls: queue.SimpleQueue[Call[Any] | None] = field(default_factory=queue.SimpleQueue)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin to take calls."""
        for number in range(self.count):
            thread = threading.Thread(target=self._serve, name=f"{self.name}-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    async def run(self, work: Callable[[Call[T]], T], timeout_s: float) -> T:
        """Run `work` in a thread; it may look at `wanted` to see whether anybody still waits.

        Raises:
            TimeoutError: no answer in time, or too many calls are waiting already.
        """
        if self._calls.qsize() >= self.most_waiting:
            raise TimeoutError(f"{self.most_waiting} calls are waiting already")
        loop = asyncio.get_running_loop()
        call: Call[T] = Call(work, loop, loop.create_future())
        self._calls.put(call)
        try:
            async with asyncio.timeout(timeout_s):
                return await call.future
        finally:
            call.wanted = False

    async def stop(self) -> bool:
        """Take no more calls; False when a thread did not come back in time."""
        for _ in self._threads:
            self._calls.put(None)
        await asyncio.to_thread(self._join)
        return not any(thread.is_alive() for thread in self._threads)

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(JOIN_TIMEOUT_S / self.count)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call.run()
