"""The gateway's configuration from its files and the environment: all of it, or everything that is wrong with it."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lamplighter_gateway.config.buses import beside, read_buses, read_path, read_tls
from lamplighter_gateway.config.devices import read_devices
from lamplighter_gateway.config.document import read_document
from lamplighter_gateway.config.environment import overlaid
from lamplighter_gateway.config.model import Config, Lighting, Metrics, Reporting, SpoolLimits, TruckRecords, Uplink
from lamplighter_gateway.config.problem import Problem, Problems
from lamplighter_gateway.config.section import Section
from lamplighter_gateway.profiles.load import load_profiles


def load(path: Path, environment: Mapping[str, str]) -> Config | Problems:
    """Read the file at `path`, its profiles and the environment's overrides."""
    tree = read_document(path)
    if isinstance(tree, Problem):
        return (tree,)
    problems: list[Problem] = []
    config = _read(path, overlaid(tree, environment, problems), problems)
    return tuple(dict.fromkeys(problems)) if problems else config


def _read(path: Path, tree: Mapping[str, Any], problems: list[Problem]) -> Config:
    section = Section(str(path), "", tree, problems)
    folder = path.parent / section.text("profiles")
    profiles = load_profiles(folder, problems) if section.raw("profiles") else {}
    buses = read_buses(section)
    config = Config(
        gateway=section.identity("gateway"),
        version=_version(path, folder),
        data=beside(section, "data"),
        clock=read_path(section, "clock"),
        root_key=_root_key(section),
        uplink=_uplink(section.section("uplink")),
        report=_report(section.section("report")),
        spool=_spool(section.section("spool")),
        metrics=_metrics(section.section("metrics")) if section.has("metrics") else None,
        buses=buses,
        devices=read_devices(section, buses, profiles),
        light=_light(section.section("light")) if section.has("light") else Lighting(),
        trucks=_trucks(section.section("trucks")) if section.has("trucks") else TruckRecords(),
    )
    section.close()
    return config


def _version(path: Path, folder: Path) -> str:
    digest = hashlib.sha256()
    for file in [path, *sorted(folder.glob("*.yaml"))]:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


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


def _report(section: Section) -> Reporting:
    report = Reporting(
        section.number("interval_s", 0, 86_400, 60),
        section.number("heartbeat_s", 1, 86_400, 900),
        section.flag("compress", default=False),
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


def _trucks(section: Section) -> TruckRecords:
    usual = TruckRecords()
    trucks = TruckRecords(
        section.number("frames_h", 1, 10_000, usual.frames_h),
        section.integer("frames_mib", 1, 1_048_576, usual.frames_mib),
    )
    section.close()
    return trucks


def _metrics(section: Section) -> Metrics:
    metrics = Metrics(section.text("host", "127.0.0.1"), section.integer("port", 0, 65_535))
    section.close()
    return metrics
