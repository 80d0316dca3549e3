"""`lamplighter violation`: what trucks were found to have done, what proves it, what became of it."""

import mimetypes
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.key_file import public_key
from lamplighter_controller.cli.table import table
from lamplighter_controller.fleet.cases.life import Outcome
from lamplighter_controller.fleet.evidence.verifying import Verdict, verify_package

TAMPERED: Final = 1
STATES: Final = (
    "candidate",
    "reviewed_valid",
    "reviewed_invalid",
    "notified",
    "appeal",
    "handed_over",
    "case",
    "outcome",
)
MEDIA: Final = {"csv": "text/csv", "json": "application/json"}
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW: Final = click.Path(dir_okay=False, path_type=Path)


@click.group()
def violation() -> None:
    """What trucks were found to have done, what proves it, what became of it."""


@violation.command("list")
@click.option("--state", type=click.Choice(STATES))
@click.option("--truck")
@click.option("--company")
@click.option("--class", "class_id", help="Such as dump_outside.")
@as_json
@asks
def list_(
    session: Session, state: str | None, truck: str | None, company: str | None, class_id: str | None, as_json: bool
) -> None:
    """Violations, the newest first."""
    where = {"state": state, "truck": truck, "company": company, "class": class_id}
    found = session.api.every("/fleet/violations", where)
    rows = [
        (
            one["id"],
            one["class"],
            one["truck"],
            one["company"],
            f"{one['score']:.2f}",
            one["state"],
            session.time(one["first_ms"]),
        )
        for one in found
    ]
    header = ("violation", "class", "truck", "company", "score", "state", "first fix")
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@violation.command()
@click.argument("violation")
@as_json
@asks
def show(session: Session, violation: str, as_json: bool) -> None:
    """One violation: its life so far and what proves it."""
    found = session.api.get(f"/fleet/violations/{violation}")
    proof = session.api.get(f"/fleet/violations/{violation}/evidence")
    tell({**found, "proof": proof}, as_json=as_json, lines=lambda: _shown(session, found, proof))


@violation.command()
@click.argument("violation")
@click.argument("verdict", type=click.Choice(["valid", "invalid"]))
@reason
@asks
def review(session: Session, violation: str, verdict: str, reason: str) -> None:
    """Say whether it is one."""
    _step(session, violation, "review", {"valid": verdict == "valid", "reason": reason})


@violation.command()
@click.argument("violation")
@click.option("--to", required=True, help="Whom of the company.")
@click.option("--way", help="Such as registered letter.")
@reason
@asks
def notify(session: Session, violation: str, to: str, way: str | None, reason: str) -> None:
    """Note that the company was told."""
    _step(session, violation, "notify", {"to": to, "way": way, "reason": reason})


@violation.command()
@click.argument("violation")
@click.option("--by", required=True, help="Who objects.")
@click.option("--text", required=True, help="What is said.")
@reason
@asks
def appeal(session: Session, violation: str, by: str, text: str, reason: str) -> None:
    """Note an objection; it is answered by `review … invalid` or by `hand-over`."""
    _step(session, violation, "appeal", {"by": by, "text": text, "reason": reason})


@violation.command("hand-over")
@click.argument("violation")
@click.option("--to", required=True, help="To whom.")
@click.option("--package", help="SHA-256 of the package that goes along.")
@reason
@asks
def hand_over(session: Session, violation: str, to: str, package: str | None, reason: str) -> None:
    """Hand it over to whoever punishes."""
    _step(session, violation, "hand-over", {"to": to, "package": package, "reason": reason})


@violation.command()
@click.argument("violation")
@click.argument("case_number")
@reason
@asks
def number(session: Session, violation: str, case_number: str, reason: str) -> None:
    """Note its number in the case system."""
    _step(session, violation, "number", {"case_number": case_number, "reason": reason})


@violation.command()
@click.argument("violation")
@click.argument("outcome", type=click.Choice([outcome.value for outcome in Outcome]))
@click.option("--amount-yuan", type=click.FloatRange(0, 10_000_000))
@reason
@asks
def conclude(session: Session, violation: str, outcome: str, amount_yuan: float | None, reason: str) -> None:
    """Note how the case ended."""
    _step(session, violation, "conclude", {"outcome": outcome, "amount_yuan": amount_yuan, "reason": reason})


@violation.command()
@click.argument("file", type=_NEW)
@click.option("--state", type=click.Choice(STATES), default="handed_over", show_default=True)
@asks
def export(session: Session, file: Path, state: str) -> None:
    """Write violations for the case system, as CSV or JSON by the file's name."""
    form = _form(file)
    file.write_bytes(session.api.download("/fleet/cases/export", {"state": state, "form": form}))
    click.echo(f"{file} is written")


@violation.command("import")
@click.argument("file", type=_FILE)
@reason
@as_json
@asks
def import_(session: Session, file: Path, reason: str, as_json: bool) -> None:
    """Take case numbers and outcomes from a file of the case system; the same file again changes nothing."""
    form = _form(file)
    query = {"form": form, "reason": reason}
    done = session.api.upload("/fleet/cases/import", file.read_bytes(), MEDIA[form], query)
    tell(done, as_json=as_json, lines=lambda: _imported(file, done))
    if done["mistakes"]:
        raise click.exceptions.Exit(TAMPERED)


@violation.command()
@as_json
@asks
def statistics(session: Session, as_json: bool) -> None:
    """How often each rule is wrong: the share of candidates that people found invalid."""
    found = session.api.get("/fleet/cases/statistics")
    rows = [
        (one["class"], one["rules"], one["found"], one["reviewed"], one["invalid"], _percent(one["invalid_share"]))
        for one in found["items"]
    ]
    header = ("class", "rules", "found", "reviewed", "invalid", "share")
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@violation.command()
@click.argument("violation")
@asks
def collect(session: Session, violation: str) -> None:
    """Have the gateway bring raw frames and photos of its time."""
    asked = session.api.send("POST", f"/fleet/violations/{violation}/evidence/collect", None)
    click.echo(f"asked for as request {asked['request']}")


@violation.command()
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


@violation.command()
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


@violation.command()
@click.argument("violation")
@reason
@asks
def hold(session: Session, violation: str, reason: str) -> None:
    """Keep everything of it beyond its retention."""
    session.api.send("POST", f"/fleet/violations/{violation}/hold", {"reason": reason})
    click.echo(f"{violation} is held")


@violation.command("end-hold")
@click.argument("violation")
@reason
@asks
def end_hold(session: Session, violation: str, reason: str) -> None:
    """Let retention go on."""
    done = session.api.send("DELETE", f"/fleet/violations/{violation}/hold", {"reason": reason})
    click.echo(f"{violation} is no longer held" if done["released"] else f"{violation} was not held")


@violation.command()
@click.argument("file", type=_FILE)
@click.option("--key", type=_FILE, help="The root's public key (root.pub), or the signing key's; from elsewhere.")
@as_json
def verify(file: Path, key: Path | None, as_json: bool) -> None:
    """Check a package of evidence; no server is asked. Ends with 1 when a byte is not as it was made."""
    verdict = verify_package(file.read_bytes(), None if key is None else public_key(key))
    tell(_verdict(verdict), as_json=as_json, lines=lambda: _told(file, verdict))
    if not verdict.whole:
        raise click.exceptions.Exit(TAMPERED)


def _step(session: Session, violation: str, act: str, body: Mapping[str, Any]) -> None:
    told = {name: value for name, value in body.items() if value is not None}
    done = session.api.send("POST", f"/fleet/violations/{violation}/{act}", told)
    click.echo(f"{violation} is {done['state']}" + (", as it was" if done["repeated"] else ""))


def _shown(session: Session, found: Mapping[str, Any], proof: Mapping[str, Any]) -> Iterator[str]:
    when, state = session.time(found["first_ms"]), found["state"]
    yield f"{found['class']} of {found['truck']} ({found['company']}), {when}: {state}"
    yield from (f"  {name}: {value}" for name, value in found["evidence"].items())
    steps = [(session.time(one["time_ms"]), one["state"], one["who"], one["reason"]) for one in found["steps"]]
    yield from table(("time", "state", "by", "reason"), steps)
    parts = [(one["name"], one["source"], one["bytes"], one["sha256"][:16]) for one in proof["parts"]]
    yield from table(("file", "from", "bytes", "sha256"), parts)
    yield f"{len(proof['packages'])} packages" + (", held" if proof["hold"] else "")


def _imported(file: Path, done: Mapping[str, Any]) -> Iterator[str]:
    for one in done["mistakes"]:
        yield f"{file}:{one['line']}: {one['key']} is {one['value']!r}, expected {one['expected']}"
    if not done["mistakes"]:
        yield f"{done['steps']} steps were taken, {done['unchanged']} had been before"


def _form(file: Path) -> str:
    form = file.suffix.lower().removeprefix(".")
    if form not in MEDIA:
        raise click.UsageError(f"{file.name}: expected a name that ends in .csv or .json")
    return form


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


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"
