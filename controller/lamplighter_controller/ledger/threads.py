"""Blocking calls in threads of their own, so that a database that hangs holds up nobody else."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
JOIN_TIMEOUT_S: Final = 5.0


@dataclass(slots=True)
class Call(Generic[T]):
    """One piece of work on its way to a thread and back; `wanted` turns false when nobody waits for it any more."""

    work: Callable[[Connection], T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]
    wanted: bool = True

    def give(self, result: T) -> None:
        """Hand back what came of it; for threads."""
        self._hand_back(self.future.set_result, result)

    def fail(self, error: BaseException) -> None:
        """Raise where the result is awaited; for threads."""
        self._hand_back(self.future.set_exception, error)

    def _hand_back(self, settle: Callable[..., None], value: object) -> None:
        def settle_if_waiting() -> None:
            if not self.future.done():
                settle(value)

        # The loop is closed when the program ended while this call hung.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(settle_if_waiting)


@dataclass(slots=True)
class Threads:
    """Threads that serve calls in order; daemons, because one that hangs must not keep the program from ending.

    Args:
        serve: does the work of some calls and settles every one of them; never raises.
        most_at_once: how many waiting calls are handed to `serve` together.
        most_waiting: further calls are turned away.
    """

    name: str
    count: int
    serve: Callable[[Sequence[Call[Any]]], None]
    most_at_once: int
    most_waiting: int
    _calls: queue.SimpleQueue[Call[Any] | None] = field(default_factory=queue.SimpleQueue)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin to take calls."""
        for number in range(self.count):
            thread = threading.Thread(target=self._run, name=f"{self.name}-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    async def run(self, work: Callable[[Connection], T], timeout_s: float) -> T:
        """Have `work` done in a thread.

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

    def _run(self) -> None:
        going_on = True
        while going_on:
            calls: list[Call[Any]] = []
            taken = self._calls.get()
            while taken is not None:
                calls.append(taken)
                if len(calls) == self.most_at_once or self._calls.empty():
                    break
                taken = self._calls.get()
            going_on = taken is not None
            wanted = [call for call in calls if call.wanted]
            if wanted:
                self.serve(wanted)
