"""What the benchmarks see of the running system, and what they make of it."""

import pytest

from benchmarks.parts import frames
from benchmarks.parts.observer import Seen
from benchmarks.soak import SAMPLE_S, Trace
from benchmarks.start import ADDRESS
from lamplighter_contract.commands.results import Result
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire.ack import Ack
from lamplighter_contract.wire.frame import Envelope, results_body, seal
from lamplighter_contract.wire.topics import Down, Up, down, up

NOW_MS = 1_763_650_000_000
GATEWAY = frames.gateway_id(0)


def ack(*numbers: tuple[int, int]) -> bytes:
    return Ack("centre-1", 1, "boot-1", numbers).encode()


def test_readings_count_once_and_only_when_acknowledged():
    press, seen = frames.Press(range(1), 1), Seen()
    for seq in (1, 2, 2, 3):
        seen.take(up(GATEWAY, Up.LIVE), press.frame(0, 0, seq, "boot-1", NOW_MS + seq))
    assert seen.acknowledged == 0
    for payload in (ack((1, 2)), ack((1, 2)), b"no ack"):
        seen.take(down(GATEWAY, Down.ACK), payload)
    assert seen.acknowledged == 2 * frames.ROWS


@pytest.mark.parametrize(
    ("state", "verified"),
    [(CommandState.ACCEPTED, False), (CommandState.APPLIED, False), (CommandState.VERIFIED, True)],
)
def test_only_a_read_back_stops_the_clock(state, verified):
    seen = Seen()
    body = results_body([Result("command-1", 1, NOW_MS, state)])
    seen.take(up(GATEWAY, Up.URGENT), seal(body, Envelope(1, "boot-1", NOW_MS)))
    assert ("command-1" in seen.verified_s) is verified


@pytest.mark.parametrize(
    ("mib_per_h", "files_at_end", "good"), [(0, 20, True), (10, 20, True), (60, 20, False), (0, 40, False)]
)
def test_a_soak_sees_what_grows(mib_per_h, files_at_end, good):
    trace = Trace(pid=0)
    for number in range(360):
        trace.at_s.append(number * SAMPLE_S)
        trace.rss_mib.append(100 + mib_per_h * trace.at_s[-1] / 3600 + number % 3)
        trace.files.append(20 if number < 250 else files_at_end)
        trace.threads.append(4)
    verdict = trace.verdict()
    assert verdict["good"] is good
    assert verdict["rss_mib_per_h"] == pytest.approx(mib_per_h, abs=0.5)


def test_growth_while_warming_up_is_no_fault():
    trace = Trace(pid=0, at_s=[number * SAMPLE_S for number in range(360)])
    trace.rss_mib = [min(200.0, 100.0 + number * 2) for number in range(360)]
    trace.files, trace.threads = [20] * 360, [4] * 360
    assert trace.verdict()["good"] is True


def test_the_printed_address_is_understood():
    found = ADDRESS.search("──\n  The console is at\n\n      http://127.0.0.1:8081/#token=ab12.x-Y_z\n")
    assert found is not None
    assert found.groups() == ("8081", "ab12.x-Y_z")
