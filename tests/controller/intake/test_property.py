"""Whatever the order of frames, faults and repairs: acknowledged is stored or on the dead-letter list."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamplighter_contract.wire.topics import Up
from lamplighter_controller.intake import letters
from tests.controller.intake.stand_ins import NOW_MS, centre, frame, until

DEVICES = ("lamp-1", "lamp-2", "lamp-3", "lamp-4", "stranger")
FRAMES = st.tuples(
    st.just("frame"),
    st.sampled_from([Up.LIVE, Up.BACKLOG]),
    st.lists(st.sampled_from(DEVICES), min_size=1, max_size=4, unique=True),
    st.sampled_from([10.0, 1e9, None]),
)
FAULTS = st.tuples(st.sampled_from(["hang", "go on", "fail", "reject", "link down", "link up", "wait"]))


def apply(here, step, seq: int) -> None:
    match step:
        case ("frame", channel, devices, power_w):
            here.send(channel, frame(seq, *devices, time_ms=NOW_MS + seq, power_w=power_w))
        case ("hang",):
            here.series.open.clear()
        case ("go on",):
            here.series.open.set()
        case ("fail",):
            here.series.failures = 1
        case ("reject",):
            here.series.rejects = lambda device: device == "lamp-4"
        case ("link down",) | ("link up",):
            here.link.up = step == ("link up",)


async def run(steps, folder: Path) -> None:
    async with centre(folder) as here:
        here.intake.readings._backoff.base_s = 0.001
        sent = {}
        for seq, step in enumerate(steps):
            apply(here, step, seq)
            if step[0] == "frame":
                sent[seq] = step
            await asyncio.sleep(0 if step[0] != "wait" else 0.01)
        here.series.open.set()
        here.link.up = True
        # The gateway's part: send again what is not acknowledged; a frame mostly of strangers never is.
        takeable = {seq for seq, (_, _, devices, _) in sent.items() if devices.count("stranger") * 2 <= len(devices)}
        for seq in sorted(takeable - here.acked()):
            apply(here, sent[seq], seq)
        await until(lambda: takeable <= here.acked())
        assert here.acked() <= takeable
        dead = {letter.letter.body for letter in await here.ledger.read(letters.newest)}
        for seq in here.acked():
            for device in sent[seq][2]:
                in_letters = any(device.encode() in body and str(NOW_MS + seq).encode() in body for body in dead)
                assert (device, NOW_MS + seq) in here.series.rows or in_letters


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(FRAMES, FRAMES, FAULTS), max_size=25))
def test_acknowledged_is_stored_or_kept(steps) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(steps, Path(folder)))
