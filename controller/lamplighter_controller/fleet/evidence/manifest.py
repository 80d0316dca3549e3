"""The manifest of a package: every part with its digest, what is missing and why, signed by the controller. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from lamplighter_contract.commands.signing import Signer, canonical

TYPE: Final = "lamplighter-evidence"
ANCHOR_TYPE: Final = "lamplighter-evidence-anchor"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
ANCHOR: Final = "anchor.json"
KEYS: Final = "keys.json"


class Missing(msgspec.Struct, frozen=True):
    """A part that belongs into a package and is not there."""

    part: str
    why: str


class Entry(msgspec.Struct, frozen=True):
    """One part of a package."""

    name: str
    media_type: str
    sha256: str
    size: int
    source: str = "controller"
    note: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """What a package holds; `made_ms` real epoch ms. `number` counts the packages of a violation from 1."""

    violation: str
    number: int
    controller: str
    made_ms: int
    made_by: str
    rules: int
    parts: tuple[Entry, ...]
    missing: tuple[Missing, ...] = ()
    type: str = TYPE
    v: int = VERSION


def entry(name: str, media_type: str, content: bytes, source: str = "controller", note: str = "") -> Entry:
    """A part by its content."""
    return Entry(name, media_type, hashlib.sha256(content).hexdigest(), len(content), source, note)


def signed(document: Mapping[str, Any], signer: Signer) -> bytes:
    """A document in the one form it has (RFC 8785), with its signature."""
    return canonical(orjson.loads(signer.sign(document)))


def sign_manifest(manifest: Manifest, signer: Signer) -> bytes:
    """The content of `manifest.json`."""
    return signed(msgspec.to_builtins(manifest), signer)


def sign_anchor(row: Mapping[str, Any], signer: Signer) -> bytes:
    """The content of `anchor.json`: the row of the audit trail that holds the manifest's digest."""
    return signed({"type": ANCHOR_TYPE, "v": VERSION, "row": dict(row)}, signer)


def names(entries: Sequence[Entry]) -> list[str]:
    """The parts in the order of a package."""
    return [one.name for one in entries]
