"""`lamplighter order`: what there is to do, and every step from the order to its proof."""

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, tell
from lamplighter_controller.cli.table import table

HOUR_MS: Final = 3_600_000
STEPS: Final = (
    "assign",
    "take",
    "depart",
    "arrive",
    "finish",
    "wait-parts",
    "wait-utility",
    "wait-police",
    "resume",
    "not-ours",
    "duplicate",
    "reopen",
    "close",
)
SAFETY: Final = ("isolated", "tested", "grounded", "fenced", "insulation")
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
key: Final = click.option("--key", help="Your own name for this action: sending it again changes nothing.")
_why: Final = click.option("--reason", default="", help="What the clock stands for; it stands in the audit trail.")


@click.group()
def order() -> None:
    """Work orders, from the fault to the proved repair."""


@order.command("list")
@click.option("--state", multiple=True, help="Such as new, on_site, done; several times for several.")
@click.option("--crew")
@click.option("--road")
@click.option("--overdue", is_flag=True, help="Only those late, or done late.")
@as_json
@asks
def list_(
    session: Session, state: Sequence[str], crew: str | None, road: str | None, overdue: bool, as_json: bool
) -> None:
    """What is not over, the first due first."""
    query = {"state": list(state) or None, "crew": crew, "road": road, "overdue": overdue, "order": "due"}
    found = session.api.every("/orders", query)
    tell(found, as_json=as_json, lines=lambda: _listed(session, found))


@order.command()
@click.argument("order")
@as_json
@asks
def show(session: Session, order: str, as_json: bool) -> None:
    """One order with its life, locks and parts."""
    found = session.api.get(f"/orders/{order}")
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@order.command("open")
@click.option("--incident", help="Of this incident; element and class are those of it.")
@click.option("--element", help="Such as lamp-01-017.")
@click.option("--kind", default="lamp", show_default=True, help="Of element, such as lamp, circuit, cabinet.")
@click.option("--class", "class_id", default="", help="Of fault, such as lamp_dead.")
@click.option("--severity", type=click.IntRange(1, 5), default=2, show_default=True)
@click.option("--reason", required=True, help="Why; it stands in the audit trail.")
@key
@as_json
@asks
def open_(
    session: Session,
    incident: str | None,
    element: str | None,
    kind: str,
    class_id: str,
    severity: int,
    reason: str,
    key: str | None,
    as_json: bool,
) -> None:
    """Open an order, or add to the one that is open on the same element."""
    body: dict[str, Any] = {"reason": reason, "class_id": class_id, "severity": severity, "incident": incident}
    if element is not None:
        body["element"] = {"kind": kind, "id": element}
    found = session.api.send("POST", "/orders", body, key=key)
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@order.command()
@click.argument("order")
@click.argument("step", type=click.Choice(STEPS))
@click.option("--crew", help="assign, take")
@click.option("--at", "place", nargs=2, type=float, help="arrive: latitude and longitude, WGS-84")
@click.option("--done", help="finish: what was done")
@click.option("--of", help="duplicate: the other order")
@click.option("--whose", help="not-ours")
@_why
@key
@as_json
@asks
def step(
    session: Session,
    order: str,
    step: str,
    crew: str | None,
    place: tuple[float, float] | None,
    done: str | None,
    of: str | None,
    whose: str | None,
    reason: str,
    key: str | None,
    as_json: bool,
) -> None:
    """Take a step: assign, take, depart, arrive, finish, wait-…, resume, not-ours, duplicate, reopen, close."""
    given = {"crew": crew, "done": done, "of": of, "whose": whose}
    if place is not None:
        given |= {"latitude": place[0], "longitude": place[1]}  # type: ignore[dict-item]  # numbers among words
    body = {"reason": reason, **{name: value for name, value in given.items() if value is not None}}
    found = session.api.send("POST", f"/orders/{order}/steps/{step}", body, key=key)
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@order.command()
@click.argument("order")
@click.option(
    "--hours", type=click.FloatRange(0.1, 24), default=2.0, show_default=True, help="Until you mean to be done."
)
@click.option("--reason", required=True, help="Why; it stands in the audit trail.")
@key
@as_json
@asks
def lock(session: Session, order: str, hours: float, reason: str, key: str | None, as_json: bool) -> None:
    """Lock what is worked on; held only once the gateway has confirmed it (see `order show`)."""
    until_ms = session.api.get("/clock")["civil_ms"] + round(hours * HOUR_MS)
    body = {"reason": reason, "until_ms": until_ms}
    found = session.api.send("POST", f"/orders/{order}/lock", body, key=key)
    tell(found, as_json=as_json, lines=lambda: [_lock(found)])


@order.command()
@click.argument("order")
@click.option("--confirmation", required=True, help="What you confirm on site, such as: measured, nobody at it.")
@key
@as_json
@asks
def restore(session: Session, order: str, confirmation: str, key: str | None, as_json: bool) -> None:
    """Close what was isolated and end the lock; for the person on site."""
    found = session.api.send("POST", f"/orders/{order}/restore", {"confirmation": confirmation}, key=key)
    tell(found, as_json=as_json, lines=lambda: [_lock(found)])


@order.command()
@click.argument("order")
@click.option("--step", "steps", multiple=True, type=click.Choice(SAFETY), help="Several times; none: all of them.")
@click.option("--name", required=True, help="Who signs.")
@key
@as_json
@asks
def sign(session: Session, order: str, steps: Sequence[str], name: str, key: str | None, as_json: bool) -> None:
    """Sign safety steps."""
    body = {"steps": list(steps) or list(SAFETY), "name": name}
    found = session.api.send("POST", f"/orders/{order}/safety", body, key=key)
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@order.command()
@click.argument("order")
@click.argument("file", type=FILE)
@click.option("--note", default="")
@key
@as_json
@asks
def photo(session: Session, order: str, file: Path, note: str, key: str | None, as_json: bool) -> None:
    """Add a photo: JPEG, PNG or WebP of at most 16 MiB."""
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    found = session.api.upload(f"/orders/{order}/photos", file.read_bytes(), media_type, {"note": note}, key=key)
    tell(found, as_json=as_json, lines=lambda: [f"{found['media_type']}, {found['bytes']} bytes, {found['sha256']}"])


@order.command()
@click.argument("order")
@click.argument("part")
@click.option("--element", required=True, help="Where it was put in.")
@click.option("--kind", default="lamp", show_default=True)
@click.option("--batch", default="")
@click.option("--serial", default="")
@click.option("--quantity", type=float, default=1.0, show_default=True)
@click.option("--new-device", default="", help="The new controller, where it was exchanged.")
@click.option("--reason", required=True, help="Why; it stands in the audit trail.")
@key
@as_json
@asks
def fit(
    session: Session,
    order: str,
    part: str,
    element: str,
    kind: str,
    batch: str,
    serial: str,
    quantity: float,
    new_device: str,
    reason: str,
    key: str | None,
    as_json: bool,
) -> None:
    """Put a part in: it leaves the store and stands in the history of its element and pole."""
    body = {
        "element": {"kind": kind, "id": element},
        "part": part,
        "batch": batch,
        "serial": serial,
        "quantity": quantity,
        "new_device": new_device,
        "reason": reason,
    }
    found = session.api.send("POST", f"/orders/{order}/parts", body, key=key)
    tell(found, as_json=as_json, lines=lambda: [f"{found['part']} put into {found['element']}"])


@order.command()
@click.argument("order")
@click.option("--helped/--not-helped", required=True)
@click.option("--text", required=True, help="What you have seen.")
@key
@as_json
@asks
def prove(session: Session, order: str, helped: bool, text: str, key: str | None, as_json: bool) -> None:
    """Say as the second person whether it is mended; there has to be a photo."""
    found = session.api.send("POST", f"/orders/{order}/proof", {"helped": helped, "text": text}, key=key)
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@order.command()
@as_json
@asks
def trips(session: Session, as_json: bool) -> None:
    """Roads whose orders could be one trip."""
    found = session.api.get("/trips/proposals")["items"]
    lines = [(one["road"], ", ".join(one["orders"]), session.time(one["due_ms"])) for one in found]
    tell(found, as_json=as_json, lines=lambda: table(("road", "orders", "due"), lines))


def _listed(session: Session, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (
            one["id"],
            one["class_id"],
            f"{one['element']['kind']} {one['element']['id']}",
            one["road"],
            one["priority"],
            one["state"],
            one["crew"],
            session.time(one["due_ms"]),
            "late" if one["overdue"] else "",
        )
        for one in found
    ]
    yield from table(("order", "class", "element", "road", "priority", "state", "crew", "due", ""), rows)


def _shown(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['id']}: {found['class_id']} at {found['element']['kind']} {found['element']['id']}, {found['state']}"
    yield f"due {session.time(found['due_ms']) or 'never'}, proof by {found['proof']}"
    if found["proof_text"]:
        yield f"evidence: {found['proof_text']}"
    if found["unsigned"]:
        yield f"safety steps not signed: {', '.join(found['unsigned'])}"
    yield from map(_lock, found["locks"])
    rows = [
        (session.time(one["at_ms"]), one["action"], one["after"], one["who"], one["reason"]) for one in found["steps"]
    ]
    yield from table(("time", "step", "state", "who", "reason"), rows)


def _lock(found: Mapping[str, Any]) -> str:
    return f"lock on {', '.join(found['devices']) or 'nothing'}: {found['state']}; {found['text']}"
