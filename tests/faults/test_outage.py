"""Twenty-five hours without an uplink, and the power fails in the middle: what is lost is what one commit carries.

A process of its own fills the real spool, a frame for every ten seconds of the outage, as fast as its disk takes them;
it is killed without a word, begun again, and afterwards everything is taken in order as a centre would.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_gateway.spool.frames import Class, Frame, Limits
from lamplighter_gateway.spool.spool import Spool

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

FRAMES = 25 * 360
WINDOW = 30  # frames that may be handed over and not yet durable
KILLED_AT = FRAMES // 2
READ_AT_ONCE = 2000
FILLER = "x" * 150


async def fill(folder: Path, first: int) -> None:
    """Hand over frames from `first` on; each line on stdout tells how many are durable."""
    spool = Spool(folder, Limits(), SystemClock())
    await spool.open()
    durable, more = first, asyncio.Event()

    def stored(frames: Sequence[Frame]) -> None:
        nonlocal durable
        durable += len(frames)
        os.write(1, b"%d\n" % durable)
        more.set()

    spool.on_stored = stored
    work = asyncio.create_task(spool.run(), name="spool")
    for number in range(first, FRAMES):
        spool.offer(Class.READING, orjson.dumps({"number": number, "filler": FILLER}))
        while number + 1 - durable >= WINDOW:
            more.clear()
            await more.wait()
    work.cancel()
    await asyncio.wait([work])
    await spool.close()


def _filling(folder: Path, first: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.test_outage", str(folder), str(first)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])


async def _taken(folder: Path) -> list[int]:
    """Everything that waits, oldest first, as it is sent and stored by a centre."""
    spool = Spool(folder, Limits(), SystemClock())
    assert await spool.open() is None, "the spool was set aside"
    work = asyncio.create_task(spool.run(), name="spool")
    numbers: list[int] = []
    highest = 0
    while frames := await spool.waiting((Class.READING,), (), READ_AT_ONCE):
        for frame in frames:
            assert frame.seq > highest, "a number was used twice, or out of order"
            highest = frame.seq
            numbers.append(orjson.loads(frame.body)["number"])
        spool.mark_stored([frame.seq for frame in frames])
        await spool.put(Class.RESULT, b"{}")
    assert spool.status().dropped == 0
    work.cancel()
    await asyncio.wait([work])
    await spool.close()
    return numbers


async def test_a_day_and_an_hour_without_the_centre_and_a_kill_in_it(tmp_path: Path) -> None:
    durable = 0
    with _filling(tmp_path, 0) as first:
        assert first.stdout is not None
        for line in first.stdout:
            durable = int(line)
            if durable >= KILLED_AT:
                first.send_signal(signal.SIGKILL)
                break
        told = first.stdout.read().split()
        durable = int(told[-1]) if told else durable
    again = durable + WINDOW  # the clock went on while the box was dark
    with _filling(tmp_path, again) as second:
        assert second.wait(120) == 0
    numbers = await _taken(tmp_path)
    assert numbers == sorted(set(numbers)), "in order, and nothing twice"
    assert set(range(durable)) | set(range(again, FRAMES)) <= set(numbers), "something that was durable is gone"
    lost = again - 1 - max(number for number in numbers if number < again)
    assert lost <= WINDOW


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2])))
