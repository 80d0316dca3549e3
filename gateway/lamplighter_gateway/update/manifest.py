"""What a bundle says of itself, signed, and whether it is for this machine. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from lamplighter_contract.commands.signing import verify
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.pieces import DIGEST
from lamplighter_contract.wire.version import WIRE_VERSION

PRODUCT: Final = "lamplighter-gateway"
ARCHITECTURES: Final = ("x86_64", "aarch64")
MOST_FILES: Final = 200
MOST_BYTES: Final = 256 * 1024 * 1024  # of all files together
MOST_MANIFEST_BYTES: Final = 256 * 1024
_VERSION: Final = re.compile(r"\d{1,6}(\.\d{1,6}){1,3}")
_WHEEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{1,180}\.whl")


class Wheel(msgspec.Struct, frozen=True):
    """One file of a bundle."""

    name: str
    size: Annotated[int, msgspec.Meta(ge=0, le=MOST_BYTES)]
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """The first file of a bundle: what it is, for which machine and Python, and every file that follows, in order."""

    product: str
    version: str
    architecture: str
    python: str
    files: Annotated[tuple[Wheel, ...], msgspec.Meta(min_length=1, max_length=MOST_FILES)]
    v: int = WIRE_VERSION

    def as_json(self) -> Any:
        """The manifest as plain JSON values, ready to be signed."""
        return msgspec.to_builtins(self)


@dataclass(frozen=True, slots=True)
class Machine:
    """What a bundle has to fit: processor, Python, and the version that runs now. `older`: a step back is wished."""

    architecture: str
    python: str
    running: str
    older: bool = False


def read_manifest(document: Mapping[str, Any], root_key: bytes) -> Manifest | Refusal:
    """A manifest that the root key has signed."""
    refusal = verify(document, root_key)
    if refusal is not None:
        return refusal
    try:
        manifest = msgspec.convert(document, Manifest)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, f"manifest: {error}")
    return _malformed(manifest) or manifest


def unfit(manifest: Manifest, machine: Machine) -> Refusal | None:
    """Why a bundle is not for this machine."""
    if manifest.product != PRODUCT:
        return Refusal(Reason.ADDRESS, f"it is a bundle of {manifest.product[:64]}, expected {PRODUCT}")
    if manifest.architecture != machine.architecture:
        return Refusal(Reason.ADDRESS, f"it is for {manifest.architecture[:20]}, this is {machine.architecture}")
    if manifest.python != machine.python:
        return Refusal(Reason.ADDRESS, f"it is for Python {manifest.python[:20]}, this is {machine.python}")
    if number(manifest.version) <= number(machine.running) and not machine.older:
        return Refusal(Reason.VERSION, f"it is version {manifest.version}, expected one newer than {machine.running}")
    return None


def number(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared."""
    parts = [int(part) for part in version.split(".")] if _VERSION.fullmatch(version) else []
    return tuple([*parts, 0, 0, 0, 0][:4])


def _malformed(manifest: Manifest) -> Refusal | None:
    if manifest.v != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {manifest.v}")
    if not _VERSION.fullmatch(manifest.version):
        return Refusal(Reason.MALFORMED, f"version is {manifest.version[:40]!r}, expected numbers such as 1.2.0")
    names = [file.name for file in manifest.files]
    if len(set(names)) < len(names) or not all(map(_WHEEL.fullmatch, names)):
        return Refusal(Reason.MALFORMED, "files: expected names of wheels, each once")
    if not all(DIGEST.fullmatch(file.sha256) for file in manifest.files):
        return Refusal(Reason.MALFORMED, "files: sha256 is no digest")
    if sum(file.size for file in manifest.files) > MOST_BYTES:
        return Refusal(Reason.TOO_LARGE, f"files: more than {MOST_BYTES} bytes")
    return None
