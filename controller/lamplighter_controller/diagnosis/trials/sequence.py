"""Which incidents a sequence of levels can settle, and which levels."""

from typing import Final

from lamplighter_controller.diagnosis.findings import ElementKind
from lamplighter_controller.diagnosis.incidents.incident import Incident, State

LEVELS: Final = (100.0, 50.0, 0.0)
DWELL_S: Final = 60.0  # real seconds at each level: fades are over, and a discharge lamp has not struck again anyway
SETTLED: Final = 0.9
# What a lamp's power over level tells apart; the rest wants a look at other readings or a person.
TESTABLE: Final = frozenset(
    {"lamp_dead", "driver_dead", "led_partial", "driver_drift", "relay_stuck_on", "relay_open", "dim_fail"}
)


def is_worth_testing(incident: Incident) -> bool:
    """A lamp that answers, whose class is in doubt, and that nobody tests or works on."""
    likely = {name for name, share in incident.alternatives if share >= 0.05}
    return (
        incident.element.kind is ElementKind.LAMP
        and incident.state in {State.RAISED, State.ACKNOWLEDGED}
        and incident.confidence < SETTLED
        and len(likely & TESTABLE) > 0
        and "node_comm" not in likely
        and not any(trial.state in {"proposed", "running"} for trial in incident.trials)
    )
