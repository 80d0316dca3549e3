"""The measuring program itself: what it prints, counts and pretends to be."""

import json
import os
import socket
import struct
import time

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as program
from benchmarks.figure import AIMS, Effort, Figure, rounded
from benchmarks.machine import Machine
from benchmarks.meter import BenchmarkError, Window, measure, middle, wait_for
from benchmarks.parts import frames
from benchmarks.parts.centre import Tally
from benchmarks.parts.responder import slaves
from lamplighter_contract.wire.ack import Ack, decode_ack
from lamplighter_contract.wire.documents import DevicesDocument, decode
from lamplighter_contract.wire.frame import ReadingsFrame, decode_frame
from lamplighter_contract.wire.topics import Up, up

NOW_MS = 1_763_650_000_000
KEYS = ["figure", "value", "unit", "aim", "met", "peer", "config", "machine"]


@pytest.mark.parametrize(
    ("name", "value", "aim", "met"),
    [
        ("poll-tcp.rate_max", 6000, ">= 6000", True),
        ("poll-tcp.rate_max", 5999, ">= 6000", False),
        ("poll-tcp.cores_at_1000", 0.15, "<= 0.15", True),
        ("poll-tcp.cores_at_1000", 0.1501, "<= 0.15", False),
        ("poll-tcp.rss_mib", None, "<= 64", False),
        ("start.built_s", 4.2, None, None),
        ("start.built_s", None, None, None),
    ],
)
def test_a_figure_says_whether_its_aim_is_met(name, value, aim, met):
    line = json.loads(Figure(name, value, "units").as_json(Machine.here()))
    assert list(line) == KEYS
    assert (line["value"], line["aim"], line["met"]) == (value, aim, met)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.123456, 0.1235), (6543.21, 6543), (1_234_567.0, 1_235_000), (3.0, 3.0), (0.0, 0.0)]
)
def test_values_keep_four_digits(value, shown):
    assert rounded(value) == shown


def test_every_aim_belongs_to_a_benchmark():
    assert {name.partition(".")[0] for name in AIMS} == set(program.BENCHMARKS)


def test_json_prints_one_line_per_figure_and_quick_is_passed_on(monkeypatch):
    def fake(effort: Effort):
        yield Figure("start.built_s", 1.5, "s", config={"quick": effort.quick})
        yield Figure("start.cold_s", None, "s", config={"why": "no network"})

    monkeypatch.setitem(program.BENCHMARKS, "start", fake)
    result = CliRunner().invoke(program.main, ["start", "--quick", "--json"])
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [line["figure"] for line in lines] == ["start.built_s", "start.cold_s"]
    assert lines[0]["config"] == {"quick": True}


def test_a_run_that_fails_is_named_and_the_next_one_still_runs(monkeypatch):
    def broken(_effort: Effort):
        yield Figure("ingest.duckdb_per_s", 1.0, "readings/CPU-s")
        raise BenchmarkError("the gateway never came up")

    monkeypatch.setitem(program.BENCHMARKS, "ingest", broken)
    monkeypatch.setitem(program.BENCHMARKS, "start", lambda _effort: iter([Figure("start.built_s", 2.0, "s")]))
    result = CliRunner().invoke(program.main, ["ingest", "start"])
    assert result.exit_code == 1
    assert "ingest: the gateway never came up" in result.stderr
    assert "start.built_s" in result.stdout


def test_an_unknown_name_is_refused():
    result = CliRunner().invoke(program.main, ["nothing"])
    assert result.exit_code == 2
    assert "nothing" in result.stderr


def test_a_window_knows_rates():
    window = Window(seconds=2, items=4000, cpu_s=0.5, rss_bytes=64 * 2**20)
    assert (window.rate, window.cores, window.per_cpu_s, window.rss_mib) == (2000, 0.25, 8000, 64)


def test_the_middle_of_windows_is_their_median_with_the_highest_memory():
    windows = [Window(1, items, cpu_s, rss) for items, cpu_s, rss in ((10, 0.3, 5), (30, 0.1, 9), (20, 0.2, 7))]
    assert middle(windows) == Window(1, 20, 0.2, 9)


def test_measuring_sees_this_process_work():
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 7
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
        return counted

    window = measure(count, [os.getpid()], 0.01)
    assert window.items == 7
    assert window.cpu_s >= 0.05
    assert window.seconds >= 0.1
    assert window.rss_bytes > 2**20


def test_what_comes_in_steps_is_measured_from_step_to_step():
    begun = time.monotonic()
    window = measure(lambda: 1000 * int((time.monotonic() - begun) / 0.2), [], 0.1, patience_s=1)
    assert window.items == 1000
    assert window.seconds == pytest.approx(0.2, abs=0.05)


def test_waiting_for_a_step_that_never_comes_ends():
    assert measure(lambda: 0, [], 0.01, patience_s=0.05).seconds < 1


def test_waiting_ends_with_a_reason():
    with pytest.raises(BenchmarkError, match="the broker"):
        wait_for("the broker", lambda: False, 0.05)


def ask(connection: socket.socket, unit: int, address: int = 0, count: int = 16) -> bytes:
    connection.sendall(struct.pack(">HHHBBHH", 7, 0, 6, unit, 3, address, count))
    return connection.recv(300)


def test_slaves_answer_with_a_moving_power_and_silent_ones_do_not():
    with slaves(2, silent=[9]) as served, socket.create_connection(("127.0.0.1", served.ports[1]), 5) as connection:
        connection.settimeout(5)
        first, second = (struct.unpack(">HHHBBB16H", ask(connection, 3)) for _ in range(2))
        assert first[:6] == (7, 0, 35, 3, 3, 32)
        assert [one == two for one, two in zip(first, second, strict=True)].count(False) == 1
        assert struct.unpack(">HHHBBB", ask(connection, 3, 10, 7)) == (7, 0, 3, 3, 0x83, 2)
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            ask(connection, 9)


def test_printed_frames_are_what_the_contract_says():
    press = frames.Press(range(2), 2)
    frame = decode_frame(press.frame(1, 1, 42, "boot-1", NOW_MS))
    assert isinstance(frame, ReadingsFrame)
    assert (frame.envelope.seq, frame.refused) == (42, ())
    assert frame.device == frames.lamp_ids(1, 1)
    assert set(frame.time_ms) == {NOW_MS}
    assert set(frame.columns) == set(frames.QUANTITIES)


def test_a_gateway_lists_exactly_the_lamps_of_its_frames():
    document = decode(frames.devices(3, 2), DevicesDocument)
    assert isinstance(document, DevicesDocument)
    assert [entry.device for entry in document.devices] == [*frames.lamp_ids(3, 0), *frames.lamp_ids(3, 1)]


def test_the_stub_counts_distinct_readings_and_acknowledges_each_frame():
    press, tally = frames.Press(range(1), 1), Tally()
    topic = up(frames.gateway_id(0), Up.LIVE)
    for seq, time_ms in ((5, NOW_MS), (6, NOW_MS), (7, NOW_MS + 1)):
        tally.take(topic, press.frame(0, 0, seq, "boot-1", time_ms))
    tally.take(topic, b"no frame")
    (ack_topic, payload), *more = tally.acks()
    assert (tally.distinct, more, tally.acks()) == (2 * frames.ROWS, [], [])
    assert ack_topic == "lamplighter/1/down/gw-0000/ack"
    ack = decode_ack(payload)
    assert isinstance(ack, Ack)
    assert ack.seq == ((5, 7),)
