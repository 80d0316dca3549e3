"""The scenario: which city is simulated, of what, and what goes wrong in it."""

from lamplighter_firmware_sim.scenario.load import load_scenario, read_scenario
from lamplighter_firmware_sim.scenario.model import (
    CabinetGroup,
    FieldLine,
    LampModel,
    Name,
    Physics,
    Place,
    Road,
    Scenario,
    ScheduledFault,
    SerialLine,
    Technology,
    Wire,
)

__all__ = [
    "CabinetGroup",
    "FieldLine",
    "LampModel",
    "Name",
    "Physics",
    "Place",
    "Road",
    "Scenario",
    "ScheduledFault",
    "SerialLine",
    "Technology",
    "Wire",
    "load_scenario",
    "read_scenario",
]
