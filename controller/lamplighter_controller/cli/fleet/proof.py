"""What proves a violation, from the terminal: files, packages, holds, and packages checked without a server."""

import mimetypes
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.key_file import public_key
from lamplighter_controller.fleet.evidence.verifying import Verdict, verify_package

TAMPERED: Final = 1
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW: Final = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("violation")
@asks
def collect(session: Session, violation: str) -> None:
    """Have the gateway bring raw frames and photos of its time."""
    asked = session.api.send("POST", f"/fleet/violations/{violation}/evidence/collect", None)
    click.echo(f"asked for as request {asked['request']}")


@click.command()
@click.argument("violation")
@click.argument("photo", type=_FILE)
@click.option("--source", type=click.Choice(["phone", "drone", "camera", "scan"]), required=True)
@click.option("--taken", metavar="YYYY-MM-DD HH:MM", help="When, by the city's clocks.")
@click.option("--note", default="", help="Such as where it was taken from.")
@asks
def attach(session: Session, violation: str, photo: Path, source: str, taken: str | None, note: str) -> None:
    """Bind a photo to a violation by hand."""
    query = {"source": source, "note": note, "taken": _taken(session, taken)}
    media_type = mimetypes.guess_type(photo.name)[0] or "application/octet-stream"
    part = session.api.upload(f"/fleet/violations/{violation}/photos", photo.read_bytes(), media_type, query)
    click.echo(f"{photo.name} is bound as {part['sha256']}")


@click.command()
@click.argument("violation")
@click.argument("file", type=_NEW)
@reason
@asks
def package(session: Session, violation: str, file: Path, reason: str) -> None:
    """Make a package of evidence and write it into a file."""
    made = session.api.send("POST", f"/fleet/violations/{violation}/packages", {"reason": reason})
    file.write_bytes(session.api.download(f"/fleet/violations/{violation}/packages/{made['number']}"))
    click.echo(f"{file}: package {made['number']} with {made['parts']} parts, row {made['audit_number']} of the audit")
    for one in made["missing"]:
        click.echo(f"  missing: {one['part']}, {one['why']}")


@click.command()
@click.argument("violation")
@reason
@asks
def hold(session: Session, violation: str, reason: str) -> None:
    """Keep everything of it beyond its retention."""
    session.api.send("POST", f"/fleet/violations/{violation}/hold", {"reason": reason})
    click.echo(f"{violation} is held")


@click.command("end-hold")
@click.argument("violation")
@reason
@asks
def end_hold(session: Session, violation: str, reason: str) -> None:
    """Let retention go on."""
    done = session.api.send("DELETE", f"/fleet/violations/{violation}/hold", {"reason": reason})
    click.echo(f"{violation} is no longer held" if done["released"] else f"{violation} was not held")


@click.command()
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, help="The root's public key (root.pub), or the signing key's; from elsewhere.")
@as_json
def verify(file: Path, key: Path | None, as_json: bool) -> None:
    """Check a package of evidence; no server is asked. Ends with 1 when a byte is not as it was made."""
    verdict = verify_package(file.read_bytes(), None if key is None else public_key(key))
    tell(_verdict(verdict), as_json=as_json, lines=lambda: _told(file, verdict))
    if not verdict.whole:
        raise click.exceptions.Exit(TAMPERED)


def _taken(session: Session, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=session.zone)
    except ValueError as error:
        raise click.UsageError(f"--taken is {text!r}, expected YYYY-MM-DD HH:MM") from error
    return round(moment.timestamp() * 1000)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    manifest = verdict.manifest
    return {
        "whole": verdict.whole,
        "signer_known": verdict.signer_known,
        "signer_fingerprint": verdict.fingerprint,
        "violation": manifest and manifest.violation,
        "package": manifest and manifest.number,
        "made_ms": manifest and manifest.made_ms,
        "manifest_sha256": verdict.manifest_sha256,
        "audit_number": verdict.audit_number,
        "missing": [{"part": one.part, "why": one.why} for one in manifest.missing] if manifest else [],
        "findings": [{"part": one.part, "what": one.what} for one in verdict.findings],
    }


def _told(file: Path, verdict: Verdict) -> Iterator[str]:
    for one in verdict.findings:
        yield f"{file}: {one.part}: {one.what}"
    if not verdict.whole or verdict.manifest is None:
        yield f"{file} is NOT as it was made"
        return
    manifest = verdict.manifest
    yield f"{file} is whole: package {manifest.number} of violation {manifest.violation}, {len(manifest.parts)} parts"
    yield f"made by {manifest.made_by} at {manifest.controller}; row {verdict.audit_number} of its audit trail"
    yield f"manifest SHA-256 {verdict.manifest_sha256}"
    yield from (f"missing: {one.part}, {one.why}" for one in manifest.missing)
    if verdict.signer_known:
        yield f"signed by a key that yours vouches for, {verdict.fingerprint}"
    else:
        yield f"WHO signed is not proven: key {verdict.fingerprint}; hand in your controller's root.pub with --key"


PROOF: Final = (collect, attach, package, hold, end_hold, verify)
