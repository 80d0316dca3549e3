"""`lamplighter-gateway probe`: what is wrong with a bus."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

import click

from lamplighter_contract.clock import SystemClock
from lamplighter_gateway.cli.lines import EXIT_FAILED, Chosen, chosen, line_options
from lamplighter_gateway.cli.options import JSON, LANGUAGE, Units
from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.probe import report
from lamplighter_gateway.commissioning.probe.attempts import Observed
from lamplighter_gateway.commissioning.probe.run import Probe, Target
from lamplighter_gateway.commissioning.probe.verdict import Fault, Finding, judge
from lamplighter_gateway.commissioning.scan.reading import FUNCTIONS, read_image
from lamplighter_gateway.commissioning.scan.signatures import Contradiction, addresses, contradictions
from lamplighter_gateway.config.model import Device

_CLOSELY: Final = 4  # units whose register map is looked at one by one
_LIVELY: Final = frozenset(
    {Fault.NONE, Fault.REGISTER_MAP, Fault.UNITS_SILENT, Fault.SETTING, Fault.SLOW, Fault.DOUBLE_UNIT}
)


@click.command()
@line_options
@click.option("--units", type=Units(), help="Units to ask; without it those configured, else 1-10.")
@click.option("--seconds", type=click.FloatRange(1, 600), default=60, show_default=True, help="At most so long.")
@LANGUAGE
@JSON
def probe(units: range | None, seconds: float, language: str, as_json: bool, **options: Any) -> None:
    """Say why a bus does not answer, and what to do about it.

    Exit code 0: nothing is wrong, 1: something is, 2: the command line or the configuration.
    """
    line = chosen(**options)
    spoken = Language(language)
    seen, findings, wrong = asyncio.run(_probe(line, _targets(line.devices, units), seconds, quiet=as_json))
    if as_json:
        click.echo(json.dumps(report.document(seen, findings, wrong, spoken), indent=2, ensure_ascii=False))
    else:
        for text in report.lines(seen, findings, wrong, spoken):
            click.echo(text)
    raise SystemExit(0 if findings[0].fault is Fault.NONE else EXIT_FAILED)


async def _probe(
    on: Chosen, targets: Sequence[Target], seconds: float, *, quiet: bool
) -> tuple[Observed, Sequence[Finding], Sequence[Contradiction]]:
    say = (lambda _text: None) if quiet else (lambda text: click.echo(text, err=True))
    seen = await Probe(on.line, targets, on.setting, on.timeout_s, seconds, SystemClock(), say).run()
    findings = judge(seen)
    refusing = next((one.units for one in findings if one.fault is Fault.REGISTER_MAP), ())
    suspects = [device for device in on.devices if device.unit in refusing] or _samples(on.devices, findings)
    wrong = await _map_faults(on, suspects[:_CLOSELY], findings)
    if wrong and not refusing:
        added = Finding(Fault.REGISTER_MAP, tuple(sorted({one.unit for one in wrong})))
        findings = (*(one for one in findings if one.fault is not Fault.NONE), added)
    return seen, findings, wrong


def _samples(devices: Sequence[Device], findings: Sequence[Finding]) -> list[Device]:
    """One device of each profile: where units answer well, their registers are compared with what is expected."""
    dead = {unit for one in findings for unit in one.units}
    return list({device.profile.name: device for device in reversed(devices) if device.unit not in dead}.values())


async def _map_faults(on: Chosen, devices: Sequence[Device], findings: Sequence[Finding]) -> list[Contradiction]:
    if findings[0].fault not in _LIVELY:
        return []
    setting = next((one.setting for one in findings if one.setting), on.setting)
    if await on.line.open(setting) is not None:
        return []
    try:
        patience_s = max((one.timeout_s or 0.0 for one in findings), default=0.0) or on.timeout_s
        return [wrong for device in devices for wrong in await _device_faults(on, device, patience_s)]
    finally:
        on.line.close()


async def _device_faults(on: Chosen, device: Device, patience_s: float) -> list[Contradiction]:
    image = await read_image(on.line, device.unit, set(addresses(device.profile, device.offset)), patience_s)
    return list(contradictions(device.profile, image, device.offset, device.unit))


def _targets(devices: Sequence[Device], units: range | None) -> list[Target]:
    """One register that each unit's profile reads; without a configuration the first holding register."""
    first = {device.unit: target for device in reversed(devices) if (target := _target(device)) is not None}
    if not devices:
        return [Target(unit) for unit in units or range(1, 11)]
    return [its for unit, its in sorted(first.items()) if units is None or unit in units]


def _target(device: Device) -> Target | None:
    fields = device.profile.modbus.read if device.profile.modbus else ()
    if not fields:
        return None
    register = fields[0].register
    count = 1 if register.table.is_bits else register.type.registers
    return Target(device.unit, FUNCTIONS[register.table], register.address + device.offset, count)
