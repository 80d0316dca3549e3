"""Work that is done ahead of polls, in the bus's own task: others leave it here and wait for the result."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from lamplighter_gateway.drivers.modbus.answers import Cause, Trouble

Result = TypeVar("Result")
_LONGEST_QUEUE: Final = 10_000
_STEPS_TO_NEXT: Final = 5  # of the event loop, from a write's result to its read-back


@dataclass(frozen=True, slots=True)
class _Job(Generic[Result]):
    work: Callable[[], Awaitable[Result | Trouble]]
    deadline_s: float
    result: asyncio.Future[Result | Trouble]


class BusQueue:
    """The jobs of one bus; first come, first served."""

    def __init__(self) -> None:
        self._jobs: deque[_Job[object]] = deque()
        self.waiting = asyncio.Event()

    def leave(
        self, work: Callable[[], Awaitable[Result | Trouble]], deadline_s: float
    ) -> "asyncio.Future[Result | Trouble]":
        """Have `work` done before `deadline_s` (monotonic); the future always gets a result."""
        future: asyncio.Future[Result | Trouble] = asyncio.get_running_loop().create_future()
        if len(self._jobs) >= _LONGEST_QUEUE:
            future.set_result(Trouble(Cause.EXPIRED))
            return future
        self._jobs.append(_Job(work, deadline_s, future))  # type: ignore[arg-type]  # a queue of mixed results
        self.waiting.set()
        return future

    def __len__(self) -> int:
        """Jobs that wait."""
        return len(self._jobs)

    async def do_next(self, now_s: float) -> None:
        """Do the job that has waited longest, unless it is too late or nobody waits for it any more."""
        job = self._jobs.popleft()
        if job.result.done():
            return
        if now_s > job.deadline_s:
            job.result.set_result(Trouble(Cause.EXPIRED))
            return
        try:
            _give(job, await job.work())
        finally:
            _give(job, Trouble(Cause.LOST))  # whatever ended the work: nobody waits for ever

    async def give_way(self) -> None:
        """Let whoever waited for a job leave the next one: a level is read back before the next lamp is polled."""
        for _ in range(_STEPS_TO_NEXT):
            if self._jobs:
                return
            await asyncio.sleep(0)

    def clear(self, trouble: Trouble) -> None:
        """Give every waiting job the same bad news."""
        while self._jobs:
            _give(self._jobs.popleft(), trouble)


def _give(job: _Job[object], result: object) -> None:
    if not job.result.done():
        job.result.set_result(result)
