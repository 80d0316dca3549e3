import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_firmware_sim.scenario import Scenario
from lamplighter_firmware_sim.simulation import Simulation
from lamplighter_firmware_sim.wires.bus import Bus
from lamplighter_firmware_sim.wires.modbus import crc16, respond
from lamplighter_firmware_sim.wires.units import CabinetUnit, LampUnit, cabinet_units
from tests.firmware_sim.conftest import SMALL, civil_ms, scenario_of

NIGHT = civil_ms("2025-11-20 22:00")


@pytest.fixture
def simulation(small: Scenario) -> Simulation:
    return Simulation(small, NIGHT)


def ask(simulation: Simulation, request: str, *, cabinet: bool = False) -> str:
    unit = CabinetUnit(simulation, 0) if cabinet else LampUnit(simulation, 0)
    return respond(unit, bytes.fromhex(request)).hex(" ")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("03 0001 0001", "03 02 00 64"),
        ("04 0001 0001", "04 02 00 64"),
        ("03 000f 0002", "83 02"),
        ("03 0020 0001", "83 02"),
        ("03 0000 0000", "83 03"),
        ("03 0000 0041", "83 03"),
        ("03 0000", "83 03"),
        ("06 0020 003c", "06 00 20 00 3c"),
        ("06 0020 0065", "86 03"),
        ("06 0021 0002", "86 03"),
        ("06 0022 0259", "86 03"),
        ("06 0001 0001", "86 02"),
        ("10 0020 0001 02 0032", "10 00 20 00 01"),
        ("10 0020 0002 04 0032", "90 03"),
        ("10 0023 0002 04 0001 0001", "90 02"),
        ("01 0000 0001", "81 01"),
        ("2b 0e01 00", "ab 01"),
    ],
)
def test_what_a_lamp_answers(simulation: Simulation, request_: str, answer: str) -> None:
    assert ask(simulation, request_) == answer


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("03 0064 0001", "03 02 00 01"),
        ("06 0064 0000", "06 00 64 00 00"),
        ("06 0064 0002", "86 03"),
        ("06 0000 0001", "86 02"),
        ("03 0016 0002", "83 02"),
        ("03 0064 0005", "83 02"),
    ],
)
def test_what_a_cabinet_answers(simulation: Simulation, request_: str, answer: str) -> None:
    assert ask(simulation, request_, cabinet=True) == answer


def test_a_refused_write_changes_nothing(simulation: Simulation) -> None:
    ask(simulation, "10 0020 0003 06 0032 0001 0000")
    assert simulation.lamp("lamp-01-001").level_percent == 100
    assert not simulation.writes


def test_a_written_level_reads_back_at_once_and_is_on_record(simulation: Simulation) -> None:
    ask(simulation, "06 0020 003c")
    assert ask(simulation, "03 0000 0002") == "03 04 00 01 00 3c"
    last = simulation.writes[-1]
    assert (last.device, last.what, last.value) == ("lamp-01-001", "level_percent", 60)


def test_a_broadcast_reaches_every_lamp_with_supply_and_is_not_answered(simulation: Simulation) -> None:
    bus = Bus(cabinet_units(simulation, 0, lamps=True))
    simulation.switch(2, closed=False)
    simulation.faults.add("silent", "lamp-01-001")
    assert bus.ask(0, bytes.fromhex("0600200028")) is None
    simulation.step(NIGHT, 1)
    written = {write.device for write in simulation.writes if write.what == "level_percent"}
    deaf = {lamp.id for lamp in simulation.city.lamps if lamp.cabinet == 0 and lamp.circuit == 2} | {"lamp-01-001"}
    everybody = {lamp.id for lamp in simulation.city.lamps if lamp.cabinet == 0}
    assert written == everybody - deaf


def test_a_supply_point_hears_no_broadcast(simulation: Simulation) -> None:
    bus = Bus(cabinet_units(simulation, 0, lamps=True))
    assert bus.ask(0, bytes.fromhex("0600640000")) is None  # its first contactor, open
    assert not [write for write in simulation.writes if write.what == "contactor_closed"]


@settings(deadline=None)
@given(pdu=st.binary(min_size=1, max_size=252))
def test_any_bytes_get_a_well_formed_answer(pdu: bytes) -> None:
    answer = respond(LampUnit(CITY, 0), pdu)
    assert answer[0] in {pdu[0], pdu[0] | 0x80}
    assert len(answer) <= 2 + 128


CITY = Simulation(scenario_of(SMALL), NIGHT)


def test_crc_of_a_known_frame() -> None:
    assert crc16(bytes.fromhex("010300000001")) == bytes.fromhex("840a")
