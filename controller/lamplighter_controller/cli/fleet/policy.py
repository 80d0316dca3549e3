"""`lamplighter policy`: what follows a violation by itself."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

POLICY = click.argument("policy")


@click.group()
def policy() -> None:
    """Policies: written, tried over the past, switched on by a second person; the kill switch."""


@policy.command("list")
@as_json
@asks
def list_(session: Session, as_json: bool) -> None:
    """All policies and what each would have done."""
    found = session.api.get("/fleet/policies")
    header = ("policy", "version", "on", "violations", "limits", "km/h", "would have limited")
    rows = [
        (
            one["policy"]["id"],
            one["version"],
            one["on"],
            " ".join(one["policy"]["classes"]),
            one["policy"]["what"],
            one["policy"]["limit_kmh"],
            _trial(one["trial"]) if one["trial"] else None,
        )
        for one in found
    ]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@reason
@as_json
@asks
def put(session: Session, file: Path, reason: str, as_json: bool) -> None:
    """Write a policy from a JSON file; that switches it off."""
    try:
        wanted = json.loads(file.read_bytes())
    except ValueError as error:
        raise click.UsageError(f"{file} is no JSON: {error}") from error
    found = session.api.send("PUT", "/fleet/policies", wanted, {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: [f"{found['policy']['id']}: version {found['version']}, off"])


@policy.command("try")
@POLICY
@click.option("--days", type=click.IntRange(1, 92), default=7, show_default=True)
@as_json
@asks
def try_(session: Session, policy: str, days: int, as_json: bool) -> None:
    """What it would have done in the last days."""
    found = session.api.send("POST", f"/fleet/policies/{policy}/trial", {}, {"days": days})
    tell(found, as_json=as_json, lines=lambda: [f"in {days} days it would have limited {_trial(found)}"])


@policy.command()
@POLICY
@reason
@as_json
@asks
def on(session: Session, policy: str, reason: str, as_json: bool) -> None:
    """Let it act: a version that was tried, written by somebody else."""
    found = session.api.send("POST", f"/fleet/policies/{policy}/on", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: _state(found))


@policy.command()
@POLICY
@reason
@as_json
@asks
def off(session: Session, policy: str, reason: str, as_json: bool) -> None:
    """Let it act no more; limits in force go on to their end."""
    found = session.api.send("POST", f"/fleet/policies/{policy}/off", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: _state(found))


@policy.command()
@click.option("--end", is_flag=True, help="Allow limits again.")
@click.option("--release", is_flag=True, help="End every limit of ours too.")
@reason
@as_json
@asks
def kill(session: Session, end: bool, release: bool, reason: str, as_json: bool) -> None:
    """Stop all limiting at once."""
    wanted = {"thrown": not end, "release": release, "reason": reason}
    found = session.api.send("PUT", "/fleet/kill-switch", wanted)
    lines = ["limits are allowed again" if end else f"no more limits; {found['released']} released"]
    tell(found, as_json=as_json, lines=lambda: lines)


def _trial(trial: Mapping[str, Any]) -> str:
    return f"{trial['trucks']} trucks, {trial['times']} times"


def _state(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['policy']['id']}: {'on' if found['on'] else 'off'}"
