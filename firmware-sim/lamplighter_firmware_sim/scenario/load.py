"""Scenario file in, scenario or the whole list of mistakes out."""

import datetime as dt
import math
import zoneinfo
from pathlib import Path
from typing import Final

from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_firmware_sim.errors import Problem
from lamplighter_firmware_sim.faults.kinds import KINDS, CivilSpan, DailySpan, FaultSpan, RealSpan
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
from lamplighter_firmware_sim.scenario.section import Report, Section, parse_yaml

_MOST_LAMPS: Final = {Wire.MODBUS_TCP: 250, Wire.MODBUS_RTU: 239, Wire.MQTT: 999}


def load_scenario(path: Path) -> Scenario | tuple[Problem, ...]:
    """The scenario in the file at `path`, or everything that is wrong with it."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return (Problem(str(path), "file", str(error), "a readable UTF-8 file"),)
    return read_scenario(text, str(path))


def read_scenario(text: str, file: str = "scenario") -> Scenario | tuple[Problem, ...]:
    """The scenario in `text`, or everything that is wrong with it; `file` names it in the mistakes."""
    report = Report(file)
    document = parse_yaml(text, report)
    if report.problems:
        return tuple(report.problems)
    scenario = _scenario(Section(document, "", report))
    return tuple(report.problems) if report.problems else scenario


def _scenario(root: Section) -> Scenario:
    zone = _zone(root)
    scenario = Scenario(
        name=root.text("scenario", pattern=r"[a-z][a-z0-9-]{0,39}", meaning="a name of a-z, 0-9 and hyphens"),
        seed=root.integer("seed", 0, 2**32 - 1),
        zone=zone,
        place=_place(root.section("place")),
        gateways=root.integer("gateways", 1, 2_000),
        groups=tuple(_group(item) for item in root.sections("cabinets", 10, least=1)),
        models=tuple(_model(item) for item in root.sections("lamps", 20, least=1)),
        roads=tuple(_road(item) for item in root.sections("roads", 200, least=1)),
        districts=tuple(_name(item) for item in root.sections("districts", 50)),
        serial=_serial(root.section("serial", required=False)),
        field_line=_field_line(root.section("field", required=False)),
        physics=Physics(root.word("physics", tuple(Physics), Physics.LIVE)),
        faults=tuple(_fault(item, zone) for item in root.sections("faults", 1000)),
    )
    if scenario.models and not math.isclose(sum(model.share for model in scenario.models), 1, abs_tol=1e-6):
        root.wrong("lamps", "shares that add up to 1")
    root.close()
    return scenario


def _zone(root: Section) -> str:
    zone = root.text("zone", "Asia/Shanghai")
    try:
        zoneinfo.ZoneInfo(zone or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        root.wrong("zone", "a time zone such as Asia/Shanghai")
        return "UTC"
    return zone or "UTC"


def _place(section: Section) -> Place:
    place = Place(
        latitude=section.number("latitude", -66, 66),
        longitude=section.number("longitude", -180, 180),
        block_m=section.number("block_m", 100, 5000, 420.0),
        pole_m=section.number("pole_m", 10, 100, 35.0),
    )
    section.close()
    return place


def _group(section: Section) -> CabinetGroup:
    wire = Wire(section.word("wire", tuple(Wire)))
    group = CabinetGroup(
        wire=wire,
        cabinets=section.integer("count", 1, 50),
        lamps=section.integer("lamps_each", 1, _MOST_LAMPS[wire]),
        loop_lamps=section.integer("loop_lamps_each", 0, 200, 0),
    )
    section.close()
    return group


def _model(section: Section) -> LampModel:
    model = LampModel(
        name=section.text("model", pattern=r"[A-Za-z0-9][A-Za-z0-9 .-]{0,39}", meaning="a model name"),
        technology=Technology(section.word("technology", tuple(Technology))),
        rated_w=section.number("rated_w", 5, 2000),
        share=section.number("share", 0, 1),
        begin_percent=section.number("begin_percent", 1, 100, 100.0),
    )
    section.close()
    return model


def _name(section: Section) -> Name:
    name = Name(zh=section.text("zh"), en=section.text("en"))
    section.close()
    return name


def _road(section: Section) -> Road:
    road = Road(
        zh=section.text("zh"),
        en=section.text("en"),
        road_class=RoadClass(section.word("class", tuple(RoadClass), RoadClass.SECONDARY)),
    )
    section.close()
    return road


def _serial(section: Section) -> SerialLine:
    line = SerialLine(
        baud=section.integer("baud", 1200, 921_600, 115_200),
        parity=section.word("parity", ("N", "E", "O"), "N"),
        stop_bits=section.integer("stop_bits", 1, 2, 1),
        turnaround_ms=section.number("turnaround_ms", 0, 1000, 5.0),
    )
    section.close()
    return line


def _field_line(section: Section) -> FieldLine:
    line = FieldLine(heartbeat_s=section.number("heartbeat_s", 1, 3600, 60.0))
    section.close()
    return line


def _fault(section: Section, zone: str) -> ScheduledFault:
    kind = section.word("kind", tuple(KINDS))
    fault = ScheduledFault(
        kind=kind,
        target=section.text("target", pattern=r"[a-z0-9*?-]{1,40}", meaning="a device id; * stands for any letters"),
        span=_span(section, zone),
        value=section.number("value", KINDS[kind].lowest, KINDS[kind].highest, KINDS[kind].default),
    )
    section.close()
    return fault


def _span(section: Section, zone: str) -> FaultSpan:
    if "at" not in section:
        start_s = section.number("after_s", 0, 1e9, 0.0)
        length_s = section.number("for_s", 0, 1e9, 1e9)
        return RealSpan(start_s, start_s + length_s)
    written = section.text("at", meaning="HH:MM or YYYY-MM-DD HH:MM in quotes")
    length_ms = round(section.number("for_s", 1, 1e9, 1e9 if " " in written else 3600.0) * 1000)
    for form in ("%H:%M", "%Y-%m-%d %H:%M"):
        try:
            start = dt.datetime.strptime(written, form).replace(tzinfo=zoneinfo.ZoneInfo(zone))
        except ValueError:
            continue
        if " " not in form:
            return DailySpan(zone, (start.hour * 60 + start.minute) * 60_000, min(length_ms, 86_400_000))
        start_ms = round(start.timestamp() * 1000)
        return CivilSpan(start_ms, start_ms + length_ms)
    section.wrong("at", "HH:MM or YYYY-MM-DD HH:MM in quotes")
    return RealSpan(0, 0)
