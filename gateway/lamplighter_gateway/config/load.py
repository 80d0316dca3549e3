"""The gateway's configuration from a candidate and the environment: all of it, or everything that is wrong with it."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lamplighter_contract.wire.config import PARTS
from lamplighter_gateway.config.buses import beside, read_buses, read_path, read_tls
from lamplighter_gateway.config.candidate import Candidate, find
from lamplighter_gateway.config.devices import read_devices
from lamplighter_gateway.config.environment import overlaid
from lamplighter_gateway.config.model import (
    Config,
    Lighting,
    LocalPage,
    Metrics,
    Reporting,
    Rules,
    Ruling,
    SpoolLimits,
    TruckRules,
    Updating,
    Uplink,
)
from lamplighter_gateway.config.problem import Problem, Problems
from lamplighter_gateway.config.section import Section
from lamplighter_gateway.profiles.load import read_profiles

CENTRAL_SAYS: Final = "nothing here: config.rules is central, so the centre says it"


def load(path: Path, environment: Mapping[str, str]) -> Config | Problems:
    """Read the file at `path`, its profiles and the environment's overrides."""
    found = find(path)
    return read(found, environment) if isinstance(found, Candidate) else found


def read(candidate: Candidate, environment: Mapping[str, str]) -> Config | Problems:
    """What a candidate says, checked as a whole."""
    problems: list[Problem] = list(candidate.problems)
    config = _read(candidate, overlaid(candidate.tree, environment, problems), problems)
    return tuple(dict.fromkeys(problems)) if problems else config


def _read(candidate: Candidate, tree: Mapping[str, Any], problems: list[Problem]) -> Config:
    section = Section(candidate.file, "", tree, problems)
    ruling = _ruling(section.section("config")) if section.has("config") else Ruling()
    parts = section if ruling.rules is Rules.LOCAL else _central(candidate, section)
    if parts is section:
        section.text("profiles")
    profiles = read_profiles(candidate.profiles, problems)
    buses = read_buses(parts)
    config = Config(
        gateway=section.identity("gateway"),
        version=candidate.version,
        data=beside(section, "data"),
        clock=read_path(section, "clock"),
        root_key=_root_key(section),
        uplink=_uplink(section.section("uplink")),
        report=_report(parts.section("report")),
        spool=_spool(section.section("spool")),
        metrics=_metrics(section.section("metrics")) if section.has("metrics") else None,
        buses=buses,
        devices=read_devices(parts, buses, profiles),
        light=_light(parts.section("light")) if parts.has("light") else Lighting(),
        trucks=_trucks(parts.section("trucks")) if parts.has("trucks") else TruckRules(),
        ruling=ruling,
        updating=_updating(section.section("update")) if section.has("update") else Updating(),
        number=candidate.number,
        page=_page(section.section("page")) if section.has("page") else None,
    )
    section.close(() if parts is section else (*PARTS, "profiles"))
    return config


def _ruling(section: Section) -> Ruling:
    usual = Ruling()
    ruling = Ruling(section.word("rules", Rules, usual.rules), section.number("trial_min", 0.1, 1_440, usual.trial_min))
    section.close()
    return ruling


def _updating(section: Section) -> Updating:
    updating = Updating(section.number("health_min", 0.1, 1_440, Updating().health_min))
    section.close()
    return updating


def _central(candidate: Candidate, section: Section) -> Section:
    """What the centre said last; nothing before it said anything. Paths in it are meant from the file's folder."""
    for key in (*PARTS, "profiles"):
        if section.has(key):
            section.wrong(key, CENTRAL_SAYS)
    name = Path(candidate.file).with_name(f"central config {candidate.number}")
    said = {key: value for key, value in (candidate.central or {}).items() if key in PARTS}
    return Section(str(name), "", said, section.problems)


def _root_key(section: Section) -> str:
    text = section.text("root_key")
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if text and len(key) != 32:
        section.wrong("root_key", "an Ed25519 public key, 32 bytes in base64")
    return text


def _uplink(section: Section) -> Uplink:
    uplink = Uplink(
        section.text("host"),
        section.integer("port", 1, 65_535, 1883),
        read_path(section, "password_file"),
        read_tls(section),
        section.integer("keepalive_s", 5, 3600, 30),
        section.number("backlog_per_s", 1, 10_000, 50),
        section.number("backlog_delay_s", 0, 86_400, 5),
    )
    section.close()
    return uplink


def _day(section: Section) -> tuple[float | None, float | None]:
    """How a dark lamp is reported; as a lit one where nothing is said."""
    if not section.has("day"):
        return None, None
    day = section.section("day")
    interval_s, heartbeat_s = day.number("interval_s", 0, 86_400, 300), day.number("heartbeat_s", 1, 86_400, 3600)
    if heartbeat_s < interval_s:
        day.wrong("heartbeat_s", f"at least interval_s, {interval_s:g}")
    day.close()
    return interval_s, heartbeat_s


def _report(section: Section) -> Reporting:
    report = Reporting(
        section.number("interval_s", 0, 86_400, 60),
        section.number("heartbeat_s", 1, 86_400, 900),
        section.flag("compress", default=False),
        section.number("gather_s", 1, 3600, 1),
        section.number("health_s", 10, 86_400, 300),
        *_day(section),
    )
    if report.heartbeat_s < report.interval_s:
        section.wrong("heartbeat_s", f"at least interval_s, {report.interval_s:g}")
    section.close()
    return report


def _spool(section: Section) -> SpoolLimits:
    limits = SpoolLimits(section.integer("max_mib", 1, 1_048_576, 512), section.number("keep_h", 1, 10_000, 24))
    section.close()
    return limits


def _light(section: Section) -> Lighting:
    usual = Lighting()
    light = Lighting(
        section.number("switch_ons_per_s", 0, 1_000, usual.switch_ons_per_s),
        section.number("on_lux", 1, 10_000, usual.on_lux),
        section.number("off_lux", 1, 10_000, usual.off_lux),
    )
    if light.off_lux < light.on_lux:
        section.wrong("off_lux", f"at least on_lux, {light.on_lux:g}")
    section.close()
    return light


def _trucks(section: Section) -> TruckRules:
    usual = TruckRules()
    trucks = TruckRules(
        section.number("frames_h", 1, 10_000, usual.frames_h),
        section.integer("frames_mib", 1, 1_048_576, usual.frames_mib),
        section.flag("lift_lock", usual.lift_lock),
    )
    section.close()
    return trucks


def _page(section: Section) -> LocalPage:
    page = LocalPage(section.text("host", "127.0.0.1"), section.integer("port", 0, 65_535, 8443))
    section.close()
    return page


def _metrics(section: Section) -> Metrics:
    metrics = Metrics(section.text("host", "127.0.0.1"), section.integer("port", 0, 65_535))
    section.close()
    return metrics
