import pytest

from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.city import build_city
from lamplighter_firmware_sim.errors import UnknownTargetError
from lamplighter_firmware_sim.faults.board import FaultBoard
from tests.firmware_sim.conftest import SMALL, civil_ms, scenario_of

NOON = civil_ms("2025-11-20 12:00")


@pytest.fixture
def board() -> FaultBoard:
    faults = "faults: [{kind: slow, target: lamp-01-001, value: 200, after_s: 10, for_s: 5}]\n"
    return FaultBoard(build_city(scenario_of(SMALL + faults)))


@pytest.mark.parametrize(("running_s", "delay_ms"), [(0, 0), (9.9, 0), (10, 200), (14.9, 200), (15, 0)])
def test_a_scheduled_fault_holds_in_its_time(board: FaultBoard, running_s: float, delay_ms: float) -> None:
    board.observe(NOON, running_s)
    assert board.strength("slow", Kind.LAMP)[0] == delay_ms


def test_of_two_faults_the_stronger_counts(board: FaultBoard) -> None:
    board.add("slow", "lamp-01-001", value=100)
    weak_alone = board.strength("slow", Kind.LAMP)[0]
    board.add("slow", "lamp-01-001", value=900)
    assert (weak_alone, board.strength("slow", Kind.LAMP)[0]) == (100, 900)


@pytest.mark.parametrize(
    ("kind", "target"),
    [("rust", "lamp-01-001"), ("silent", "lamp-99-001"), ("dead_lamp", "cab-01"), ("breaker_trip", "lamp-01-001")],
)
def test_unknown_kinds_and_targets_are_refused(board: FaultBoard, kind: str, target: str) -> None:
    with pytest.raises(UnknownTargetError):
        board.add(kind, target)


def test_a_strength_out_of_bounds_is_refused(board: FaultBoard) -> None:
    with pytest.raises(ValueError, match="expected 1 to 60000"):
        board.add("slow", "lamp-01-001", value=0)
