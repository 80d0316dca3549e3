"""Every fault of a bus on a real pty or socket, and the verdict on it."""

import asyncio
from itertools import count

import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_firmware_sim.serve import running_city
from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.probe import report
from lamplighter_gateway.commissioning.probe.verdict import Fault, judge
from lamplighter_gateway.commissioning.probe.words import ADVICE, advice
from lamplighter_gateway.commissioning.wire.frames import rtu_frame
from lamplighter_gateway.commissioning.wire.port import Heard, Setting
from lamplighter_gateway.commissioning.wire.serial_line import SerialLine
from lamplighter_gateway.commissioning.wire.tcp_line import TcpLine
from lamplighter_gateway.config.model import Parity
from tests.firmware_sim.conftest import scenario_of
from tests.gateway.commissioning.lines import N1, FaultyLine, probed
from tests.gateway.drivers.rig import until
from tests.gateway.drivers.units import TcpServer, Units
from tests.system.process import free_port


def faults(seen):
    return [finding.fault for finding in judge(seen)]


async def test_a_good_bus_is_good_and_nobody_is_asked_at_other_settings():
    async with FaultyLine(Units()) as line:
        seen = await probed(line)
    assert faults(seen) == [Fault.NONE]
    assert seen.settings == [N1]


async def test_silence_at_every_setting_names_power_and_swapped_wires_within_the_time():
    async with FaultyLine(Units([])) as line:
        began_s = SystemClock().monotonic_s()
        seen = await probed(line, 1, 2, budget_s=2.0, timeout_s=0.02, slowest_s=0.1)
        assert SystemClock().monotonic_s() - began_s < 10
    assert faults(seen) == [Fault.SILENT]
    assert len(seen.settings) >= 3
    told = advice(judge(seen)[0], Language.EN)
    assert "power" in told.steps[0]
    assert "Swap A and B" in told.steps[1]
    assert "1-2" in told.steps[3]


async def test_a_line_that_rests_at_the_wrong_level_has_its_wires_swapped():
    async with FaultyLine(Units([]), chatter=b"\x00\x00") as line:
        seen = await probed(line, 1, budget_s=1.0, timeout_s=0.02)
    assert faults(seen) == [Fault.SWAPPED]


@pytest.mark.parametrize("deaf", [True, False])
async def test_units_of_another_speed_are_found_and_the_line_for_the_file_is_given(deaf):
    async with FaultyLine(Units(), baud=19_200, deaf=deaf) as line:
        seen = await probed(line, 1, 2, timeout_s=0.3)
    finding = judge(seen)[0]
    assert (finding.fault, finding.setting) == (Fault.SETTING, Setting(19_200, Parity.NONE, 1))
    assert "baud: 19200, parity: N, stop_bits: 1" in advice(finding, Language.ZH).steps[0]


async def test_noise_is_everybodys_and_points_to_termination():
    turn = count(1)
    noisy = FaultyLine(Units(), spoil=lambda frame: frame[:-1] + b"\x00" if next(turn) % 3 == 0 else frame)
    async with noisy as line:
        seen = await probed(line)
    (finding,) = judge(seen)
    assert finding.fault is Fault.NOISE
    assert 20 <= float(finding.facts["percent"]) <= 50
    assert "120" in advice(finding, Language.EN).steps[0]


async def test_garbled_at_every_setting_is_said_so():
    async with FaultyLine(Units(), spoil=lambda frame: bytes(byte ^ 0x21 for byte in frame)) as line:
        seen = await probed(line, budget_s=1.0, timeout_s=0.02)
    assert faults(seen) == [Fault.GARBLED]


async def test_one_unit_that_alone_is_garbled_has_a_double():
    spoilt = FaultyLine(Units(), spoil=lambda frame: frame[:-2] + b"\x00\x01" if frame[0] == 3 else frame)
    async with spoilt as line:
        seen = await probed(line)
    (finding,) = judge(seen)
    assert (finding.fault, finding.units) == (Fault.DOUBLE_UNIT, (3,))


async def test_units_that_refuse_their_registers_have_another_register_map():
    units = Units()
    units.holes = set(range(16))
    async with FaultyLine(units) as line:
        seen = await probed(line)
    (finding,) = judge(seen)
    assert (finding.fault, finding.units) == (Fault.REGISTER_MAP, (1, 2, 3, 4))
    assert finding.facts["codes"] == "2"


async def test_some_silent_units_are_named_beside_a_good_bus():
    units = Units()
    units.dead = {2, 4}
    async with FaultyLine(units) as line:
        seen = await probed(line)
    (finding,) = judge(seen)
    assert (finding.fault, finding.units) == (Fault.UNITS_SILENT, (2, 4))


async def test_units_slower_than_the_gateway_waits_get_a_time_out_that_fits():
    async with FaultyLine(Units(), delay=lambda _: 0.3) as line:
        seen = await probed(line, timeout_s=0.05, slowest_s=3.0)
    slow = judge(seen)[0]
    assert slow.fault is Fault.SLOW
    assert slow.timeout_s is not None
    assert 0.4 <= slow.timeout_s <= 5.0


async def test_an_adapter_that_echoes_is_told_and_does_not_hide_the_answers():
    async with FaultyLine(Units(), echo=True) as line:
        seen = await probed(line)
    assert faults(seen) == [Fault.ECHO]
    async with FaultyLine(Units([]), echo=True) as line:
        seen = await probed(line, budget_s=4.0, timeout_s=0.3)
    assert faults(seen) == [Fault.SILENT_ECHO]


async def test_a_second_master_is_heard_before_anybody_is_asked():
    other = rtu_frame(9, bytes.fromhex("0300000001"))
    async with FaultyLine(Units([]), chatter=other) as line:
        seen = await probed(line, 1, budget_s=1.0, timeout_s=0.02)
    assert faults(seen) == [Fault.SECOND_MASTER]


async def test_an_answer_in_another_units_name_is_no_answer():
    def renamed(frame):
        return rtu_frame(frame[0] + 1, frame[1:-2])

    async with FaultyLine(Units([1]), spoil=renamed) as line:
        seen = await probed(line, 1, budget_s=4.0, timeout_s=0.3)
    assert faults(seen) == [Fault.WRONG_UNIT]


async def test_ports_that_cannot_be_opened_say_why(tmp_path):
    missing = SerialLine(str(tmp_path / "ttyUSB9"), SystemClock())
    assert faults(await probed(missing, 1)) == [Fault.PORT_MISSING]
    async with FaultyLine(Units()) as line:
        owner = SerialLine(line.device, SystemClock())
        assert await owner.open(N1) is None
        busy = SerialLine(line.device, SystemClock())
        assert faults(await probed(busy, 1)) == [Fault.PORT_BUSY]
        owner.close()
    (tmp_path / "file").write_text("no port")
    assert faults(await probed(SerialLine(str(tmp_path / "file"), SystemClock()), 1)) == [Fault.PORT_UNUSABLE]


async def test_an_adapter_pulled_out_in_the_middle_ends_the_probe_without_an_exception():
    units = Units()
    async with FaultyLine(units) as line:
        units.on_request = lambda _unit: line.unplug() if len(units.requests) == 3 else None
        seen = await probed(line)
    assert faults(seen) == [Fault.PORT_LOST]


async def tcp(port, *units, timeout_s=0.5, budget_s=3.0):
    return await probed(
        TcpLine("127.0.0.1", port, SystemClock()), *units, setting=None, timeout_s=timeout_s, budget_s=budget_s
    )


async def test_tcp_good_refused_stalled_and_no_modbus():
    units = Units()
    async with TcpServer(units) as server:
        assert faults(await tcp(server.port)) == [Fault.NONE]
        server.stalled = True
        assert faults(await tcp(server.port, 1)) == [Fault.TCP_SILENT]
    assert faults(await tcp(free_port(), 1)) == [Fault.HOST_REFUSES]

    async def greet(_reader, writer):
        writer.write(b"SSH-2.0-converter\r\n")
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as other:
        assert faults(await tcp(other.sockets[0].getsockname()[1], 1)) == [Fault.NOT_MODBUS]


async def test_a_converter_that_speaks_for_silent_units_is_told_from_a_register_map():
    class Converter(Units):
        def answer(self, unit, pdu):
            return bytes((pdu[0] | 0x80, 11))

    async with TcpServer(Converter()) as server:
        assert faults(await tcp(server.port)) == [Fault.BEHIND_GATEWAY]


async def test_the_report_shows_verdict_fix_and_evidence_in_both_languages():
    async with FaultyLine(Units(), baud=19_200, deaf=False) as line:
        seen = await probed(line, timeout_s=0.3)
    findings = judge(seen)
    english = "\n".join(report.lines(seen, findings, (), Language.EN))
    assert "The units speak 19200 8N1" in english
    assert "garbled" in english
    assert "for example unit 1:" in english
    assert "设备使用 19200 8N1" in "\n".join(report.lines(seen, findings, (), Language.ZH))
    document = report.document(seen, findings, (), Language.EN)
    assert document["findings"][0]["setting"] == "19200 8N1"
    assert {attempt["setting"] for attempt in document["attempts"]} >= {"9600 8N1", "19200 8N1"}


def test_every_fault_has_its_advice_in_both_languages_with_as_many_steps():
    for fault in Fault:
        english, chinese = (ADVICE[language][fault] for language in (Language.EN, Language.ZH))
        assert len(english.steps) == len(chinese.steps), fault
        assert english.title
        assert chinese.title


async def test_a_setting_that_the_port_does_not_take_is_listed_and_passed_over():
    """A pty takes no parity."""
    async with FaultyLine(Units([])) as line:
        seen = await probed(line, 1, budget_s=2.0, timeout_s=0.02, slowest_s=0.1)
        assert Setting(9600, Parity.EVEN, 1) in seen.unsupported
    assert "not possible on this port" in "\n".join(report.lines(seen, judge(seen), (), Language.EN))


class Memory:
    """A line in memory whose units speak with parity: what a pty cannot show."""

    name, is_serial = "memory", True

    def __init__(self, right):
        self.right, self.at = right, None

    async def open(self, setting):
        self.at = setting

    async def ask(self, unit, pdu, timeout_s):
        good = rtu_frame(unit, bytes.fromhex("03020001"))
        return Heard(good if self.at == self.right else bytes(byte & 0x7F for byte in good), 0.01)

    async def listen(self, seconds):
        return b""

    def close(self):
        self.at = None


@pytest.mark.parametrize(
    "right", [Setting(9600, Parity.EVEN, 1), Setting(9600, Parity.ODD, 1), Setting(19_200, Parity.EVEN, 1)]
)
async def test_wrong_parity_is_found_by_trying(right):
    seen = await probed(Memory(right), 1, 2)
    assert [(one.fault, one.setting) for one in judge(seen)] == [(Fault.SETTING, right)]


SMALL = """
scenario: small
seed: 7
place: {latitude: 36.65, longitude: 117.12}
gateways: 1
cabinets: [{wire: modbus-rtu, count: 1, lamps_each: 6}]
serial: {baud: 9600, turnaround_ms: 2}
lamps: [{model: LED 100, technology: led, rated_w: 100, share: 1}]
roads: [{zh: 云杉路, en: Spruce Road}]
"""


@pytest.mark.parametrize(
    ("kind", "target", "value", "fault"),
    [
        ("line_noise", "cab-01", 30.0, Fault.NOISE),
        ("line_echo", "cab-01", None, Fault.ECHO),
        ("second_master", "cab-01", 100.0, Fault.SECOND_MASTER),
        ("line_short", "cab-01", None, Fault.SILENT),
        ("refuses", "lamp-01-002", 2.0, Fault.REGISTER_MAP),
        ("wrong_unit", "lamp-01-002", None, Fault.WRONG_UNIT),
        ("slow", "lamp-01-002", 600.0, Fault.SLOW),
        ("silent", "lamp-01-002", None, Fault.UNITS_SILENT),
    ],
)
async def test_what_is_wrong_with_the_simulated_line_is_named(tmp_path, kind, target, value, fault):
    async with running_city(scenario_of(SMALL), tmp_path) as city:
        city.faults.add(kind, target, None, value)
        city.step()
        if fault is Fault.SECOND_MASTER:
            await until(lambda: city.buses["cab-01"].requests > 0, 60)
        line = SerialLine(city.endpoints.devices["cab-01"], SystemClock())
        seen = await probed(
            line, *range(1, 7), timeout_s=0.3, budget_s=2.0 if fault is Fault.SILENT else 60.0, slowest_s=2.0
        )
    assert fault in faults(seen)
