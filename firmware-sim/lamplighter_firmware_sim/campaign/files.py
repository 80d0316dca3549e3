"""A campaign as files that anybody's diagnosis can read: T.csv, L.csv, T.json, and truth.jsonl for judging it."""

import csv
import datetime as dt
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from lamplighter_firmware_sim.campaign.generate import Campaign
from lamplighter_firmware_sim.campaign.luminaires import MODELS, data_sheet
from lamplighter_firmware_sim.campaign.network import PHASES, Network
from lamplighter_firmware_sim.campaign.programs import Commands
from lamplighter_firmware_sim.campaign.readings import DECIMALS, Readings

_CABINET_DECIMALS: Final = {"current": 2, "energy": 2, "power_factor": 3}
Row = tuple[int, list[str]]


def write_files(campaign: Campaign, directory: Path) -> None:
    """Write all four files into `directory`.

    Raises:
        OSError: they cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    network = campaign.network
    (directory / "T.json").write_text(json.dumps(topology_document(network)), "utf-8")
    _write_telemetry(campaign, directory / "T.csv")
    _write_levels(campaign, directory / "L.csv")
    truth = [json.dumps(fault.as_json(network.lamp_id)) for fault in campaign.truth.faults]
    (directory / "truth.jsonl").write_text("".join(line + "\n" for line in truth), "utf-8")


def topology_document(network: Network) -> dict[str, Any]:
    """What the books say: models, and cabinets with feeders, poles and lamps."""
    return {
        "models": [
            {"id": one.name, "rated_w": one.rated_w, "source": "hps" if one.hps else "led"}
            | ({"curve": data_sheet(one)} if one.curve_told else {})
            for one in MODELS
        ],
        "cabinets": [_cabinet(network, cabinet, _lamps_by_pole(network)) for cabinet in range(network.size.cabinets)],
    }


def _lamps_by_pole(network: Network) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for lamp, pole in enumerate(network.book_pole):
        found.setdefault(int(pole), []).append(lamp)
    return found


def _cabinet(network: Network, cabinet: int, lamps: dict[int, list[int]]) -> dict[str, Any]:
    size = network.size
    return {
        "id": network.cabinet_id(cabinet),
        "meter": network.meter_id(cabinet),
        "transformer": network.transformer_id(int(network.cabinet_transformer[cabinet])),
        "gateway": network.gateway_id(cabinet),
        "feeders": [
            {
                "id": network.feeder_id(feeder),
                "phase": PHASES[feeder % len(PHASES)],
                "circuit": network.feeder_id(feeder),
                "poles": [
                    {
                        "id": network.pole_id(pole),
                        "lamps": [
                            {"id": network.lamp_id(lamp), "model": MODELS[network.book_model[lamp]].name}
                            for lamp in lamps.get(pole, [])
                        ],
                    }
                    for pole in range(feeder * size.poles, (feeder + 1) * size.poles)
                ],
            }
            for feeder in range(cabinet * size.feeders, (cabinet + 1) * size.feeders)
        ],
    }


def _write_telemetry(campaign: Campaign, path: Path) -> None:
    network = campaign.network
    kinds: list[tuple[Readings, Callable[[int], str]]] = [
        (campaign.lamps, network.lamp_id),
        (campaign.cabinets, network.meter_id),
        (campaign.feeders, network.feeder_id),
    ]
    names = list(dict.fromkeys(name for readings, _ in kinds for name in readings.values))
    rows = [row for readings, id_of in kinds for row in _rows(readings, id_of, names)]
    rows.sort(key=lambda row: row[0])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time", "device", *names])
        writer.writerows(cells for _, cells in rows)


def _rows(readings: Readings, id_of: Callable[[int], str], names: list[str]) -> Iterator[Row]:
    columns = [_texts(readings, name) for name in names]
    for place in range(len(readings)):
        cells = [_time(int(readings.time_ms[place])), id_of(int(readings.device[place]))]
        yield int(readings.arrival_ms[place]), cells + [column[place] for column in columns]


def _texts(readings: Readings, name: str) -> list[str]:
    """The column as cells; blank where nothing was read."""
    if name not in readings.values:
        return [""] * len(readings)
    decimals = DECIMALS.get(name, 1 if name.endswith(("_v", "_w")) else 0)
    for part, places in _CABINET_DECIMALS.items():
        if name.startswith(part):
            decimals = max(decimals, places)
    return ["" if math.isnan(value) else f"{value:.{decimals}f}" for value in readings.values[name].tolist()]


def _write_levels(campaign: Campaign, path: Path) -> None:
    network = campaign.network
    rows = [*_levels(campaign.commands, network.lamp_id), *_levels(campaign.feeder_commands, network.feeder_id)]
    rows.sort(key=lambda row: row[0])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time", "device", "level_percent"])
        writer.writerows(cells for _, cells in rows)


def _levels(commands: Commands, id_of: Callable[[int], str]) -> Iterator[Row]:
    for time_ms, lamp, level in zip(commands.time_ms, commands.lamp, commands.level_percent, strict=True):
        yield int(time_ms), [_time(int(time_ms)), id_of(int(lamp)), f"{level:g}"]


def _time(time_ms: int) -> str:
    moment = dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
