"""A campaign made ready for diagnosis: the tree its books tell, readings in order of arrival, commands."""

from dataclasses import dataclass, replace
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.replay.levels import Levels, levels_of
from lamplighter_controller.diagnosis.replay.steps import Told
from lamplighter_controller.diagnosis.replay.stream import Rows, Stream
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.diagnosis.topology_file import TopologyFile, places_of
from lamplighter_firmware_sim.campaign.files import topology_document
from lamplighter_firmware_sim.campaign.generate import Campaign
from lamplighter_firmware_sim.campaign.programs import Commands
from lamplighter_firmware_sim.campaign.readings import Readings

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Ablation:
    """What diagnosis is denied, or what is made worse for it."""

    name: str
    common_mode: bool = True
    learned_gain: bool = True
    topology: bool = True
    meters: bool = True
    wrong_share: float = 0.0
    interval_s: int = 900


WHOLE: Final = Ablation("whole")
ABLATIONS: Final = (
    Ablation("without common mode", common_mode=False),
    Ablation("without learned gain", learned_gain=False),
    Ablation("without topology", topology=False),
    Ablation("without cabinet meters", meters=False),
    Ablation("5 % wrong inventory", wrong_share=0.05),
    Ablation("hourly reports", interval_s=3600),
)


@dataclass(frozen=True)
class Course:
    """What diagnosis is given of one campaign."""

    campaign: Campaign
    topology: Topology
    models: dict[str, LampModel]
    settings: Settings
    stream: Stream
    told: Told
    row: Index  # of the topology, by lamp of the campaign


def course_of(campaign: Campaign, ablation: Ablation = WHOLE) -> Course:
    """The campaign under an ablation."""
    file = msgspec.convert(topology_document(campaign.network), TopologyFile)
    places = places_of(file)
    topology = assemble(places if ablation.topology else _flat(places))
    network = campaign.network
    row = np.array([topology.row_of_lamp[network.lamp_id(lamp)] for lamp in range(len(network))])
    circuits = np.array([topology.row_of_circuit.get(network.feeder_id(one), -1) for one in range(network.feeders)])
    meters = [topology.row_of_cabinet.get(network.meter_id(one), -1) for one in range(network.size.cabinets)]
    rows = {
        Kind.LAMP: _rows(campaign.lamps, row),
        Kind.CABINET: _rows(campaign.cabinets, np.array(meters), keep=ablation.meters),
        Kind.CIRCUIT: _rows(campaign.feeders, circuits, keep=ablation.meters and ablation.topology),
    }
    told = Told(
        lamps=_levels(campaign.commands, row),
        circuits=_levels(campaign.feeder_commands, circuits),
        excused=lambda now_ms: _excused(campaign, row, now_ms),
        rain_mm_h=lambda now_ms: _rain(campaign, now_ms),
    )
    models = {one.id: LampModel(one.id, one.rated_w, one.source, tuple(one.curve)) for one in file.models}
    period_s = float(campaign.order.interval_s)
    settings = Settings(period_s=period_s, common_mode=ablation.common_mode, learned_gain=ablation.learned_gain)
    return Course(campaign, topology, models, settings, Stream(rows, period_s), told, row)


def _flat(places: Places) -> Places:
    """Lamps that hang on nothing anybody knows; the meters stand for themselves."""
    alone = tuple(
        replace(lamp, cabinet="", circuit="", feeder="", phase="", pole="", order=None, gateway="")
        for lamp in places.lamps
    )
    return Places(lamps=alone, cabinets=places.cabinets)


def _rows(readings: Readings, place: Index, *, keep: bool = True) -> Rows:
    found = place[readings.device]
    own = (found >= 0) & keep
    values = {name: column[own] for name, column in readings.values.items()}
    return Rows(found[own], readings.time_ms[own], readings.arrival_ms[own], values, np.zeros(int(own.sum()), np.uint8))


def _levels(commands: Commands, place: Index) -> Levels:
    found = place[commands.lamp]
    own = found >= 0
    return levels_of(found[own], commands.time_ms[own], commands.level_percent[own])


def _excused(campaign: Campaign, row: Index, now_ms: int) -> NDArray[np.bool_] | None:
    running = [work for work in campaign.truth.excused if work.start_ms <= now_ms < work.end_ms + 900_000]
    if not running:
        return None
    mask = np.zeros(len(row), np.bool_)
    for work in running:
        mask[row[work.lamps]] = True
    return mask


def _rain(campaign: Campaign, now_ms: int) -> float:
    step = int(np.searchsorted(campaign.step_ms, now_ms, side="right")) - 1
    return float(campaign.rain_mm_h[max(0, step)])
