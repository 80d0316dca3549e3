"""`lamplighter gateway`: how gateways fare, and a bundle of what one has to show to whoever helps from afar."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TextIO

import click
import yaml

from lamplighter_contract.wire.config import PARTS
from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.client import Refused
from lamplighter_controller.cli.table import table

LOOK_S: Final = 0.5
NOT_FOUND: Final = 404
SUPPORT: Final = "gateway.support"


@click.group()
def gateway() -> None:
    """The boxes beside the roads."""


@gateway.command("list")
@as_json
@asks
def list_(session: Session, as_json: bool) -> None:
    """All gateways and how they are."""
    found = session.api.every("/gateways")
    rows = [(one["gateway"], one["status"], one["version"], one["devices"], one["generation"]) for one in found]
    tell(found, as_json=as_json, lines=lambda: table(("gateway", "status", "version", "devices", "generation"), rows))


@gateway.command()
@click.argument("gateway")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A .tar.gz file.")
@click.option("--wait", "wait_s", type=click.FloatRange(1, 3600), default=300, show_default=True, help="Seconds.")
@reason
@asks
def support(session: Session, gateway: str, output: Path, wait_s: float, reason: str) -> None:
    """Bring up logs, statistics and configuration of GATEWAY, without a secret, at most 200 kB."""
    body = {"op": SUPPORT, "gateways": [gateway], "reason": reason, "expires_s": min(round(wait_s), 3600)}
    asked = session.api.send("POST", "/commands", body)
    content = _brought(session, gateway, asked["request"], wait_s)
    output.write_bytes(content)
    click.echo(f"{output}: {len(content)} bytes")


@gateway.command()
@click.argument("bundle")
@click.argument("gateways", nargs=-1, required=True)
@click.option("--canaries", type=click.IntRange(1, 100), default=1, show_default=True, help="How many go first.")
@click.option("--share", type=click.FloatRange(0, 100), default=10, show_default=True, help="Percent that go next.")
@click.option("--tolerated", type=click.FloatRange(0, 50), default=5, show_default=True, help="Percent that may fail.")
@reason
@as_json
@asks
def update(
    session: Session,
    bundle: str,
    gateways: tuple[str, ...],
    canaries: int,
    share: float,
    tolerated: float,
    reason: str,
    as_json: bool,
) -> None:
    """Bring BUNDLE, as `lamplighter-controller bundle` printed it, to GATEWAYS in waves; `all` means all of them."""
    named = [one["gateway"] for one in session.api.every("/gateways") if one["enrolled"]]
    body = {
        "bundle": bundle,
        "gateways": named if gateways == ("all",) else list(gateways),
        "canaries": canaries,
        "share_percent": share,
        "tolerated_percent": tolerated,
        "reason": reason,
    }
    begun = session.api.send("POST", "/rollouts", body)
    tell(begun, as_json=as_json, lines=lambda: [f"rollout {begun['id']} is {begun['state']}"])


@gateway.command()
@as_json
@asks
def updates(session: Session, as_json: bool) -> None:
    """How far updates have come."""
    found = session.api.get("/rollouts")
    rows = [(one["id"], one["state"], _progress(one), one["why"]) for one in found]
    tell(found, as_json=as_json, lines=lambda: table(("rollout", "state", "updated", "why"), rows))


@gateway.command()
@click.argument("gateway")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--profiles", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder of profiles.")
@reason
@asks
def config(session: Session, gateway: str, file: TextIO, profiles: Path | None, reason: str) -> None:
    """Have GATEWAY serve the buses and devices of FILE; only where its own file lets the centre rule."""
    parts = yaml.safe_load(file)
    trees = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(profiles.glob("*.yaml"))] if profiles else []
    named = {str(tree["profile"]): tree for tree in trees}
    body = {key: value for key, value in parts.items() if key in PARTS} | {"profiles": named, "reason": reason}
    given = session.api.send("PUT", f"/gateways/{gateway}/config", body)
    click.echo(f"{gateway} is given configuration {given['version']}; it follows {given['in_force']}")


@gateway.command("stop-update")
@click.argument("rollout")
@reason
@asks
def stop_update(session: Session, rollout: str, reason: str) -> None:
    """Let ROLLOUT go no further."""
    stopped = session.api.send("POST", f"/rollouts/{rollout}/stop", {"reason": reason})
    click.echo(f"rollout {stopped['id']} is {stopped['state']}")


def _progress(rollout: Mapping[str, Any]) -> str:
    updated = sum(its["state"] == "verified" for its in rollout["sent"])
    return f"{updated} of {len(rollout['sent']) + len(rollout['waiting'])}"


def _brought(session: Session, gateway: str, request: str, wait_s: float) -> bytes:
    end_s = time.monotonic() + wait_s
    told: dict[str, Any] = {}
    while time.monotonic() < end_s:
        told = session.api.get(f"/commands/{request}")
        try:
            return session.api.download(f"/gateways/{gateway}/support/{told['commands'][0]['id']}")
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise
        if told["state"] in {"failed", "rejected", "expired", "superseded"}:
            raise click.ClickException(f"{gateway}: {told['state']}: {told['commands'][0]['reason']}")
        time.sleep(LOOK_S)
    raise click.ClickException(
        f"{gateway} brought nothing within {wait_s:g} s; its command is {told.get('state', '?')}"
    )
