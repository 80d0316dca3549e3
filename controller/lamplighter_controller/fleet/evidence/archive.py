"""One file of many: a ZIP that is the same byte by byte whenever it is made of the same parts. Pure."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

EPOCH: Final = (1980, 1, 1, 0, 0, 0)
MODE: Final = 0o644 << 16
UNIX: Final = 3
MOST_ENTRIES: Final = 1_000
_TORN: Final = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was made: where, and what."""

    part: str
    what: str


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The parts that could be read, and what is wrong with the file around them."""

    parts: Mapping[str, bytes]
    findings: tuple[Finding, ...] = ()


def pack(parts: Mapping[str, bytes]) -> bytes:
    """Parts by name, in their order, stored as they are; names are ASCII."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            about = zipfile.ZipInfo(name, EPOCH)
            about.external_attr, about.create_system = MODE, UNIX
            archive.writestr(about, content)
    return out.getvalue()


def unpack(content: bytes) -> Unpacked:
    """Read every part. The same parts make the same file, so any other byte shows, wherever it stands."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts, findings = _read(archive)
    except _TORN as error:
        return Unpacked({}, (Finding("the file", f"it is no ZIP archive: {error}"),))
    if not findings and (where := _differs(content, parts)) is not None:
        findings = [where]
    return Unpacked(parts, tuple(findings))


def _read(archive: zipfile.ZipFile) -> tuple[dict[str, bytes], list[Finding]]:
    parts: dict[str, bytes] = {}
    findings: list[Finding] = []
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        return {}, [Finding("the file", f"it has {len(entries)} entries, at most {MOST_ENTRIES} are read")]
    for about in entries:
        name = about.filename
        if name in parts:
            findings.append(Finding(name, "it is there twice"))
        elif about.compress_type != zipfile.ZIP_STORED or about.file_size != about.compress_size:
            findings.append(Finding(name, "it is not stored as it was made"))
        else:
            try:
                parts[name] = archive.read(about)
            except _TORN as error:
                findings.append(Finding(name, f"its bytes are not what was packed: {error}"))
    return parts, findings


def _differs(content: bytes, parts: Mapping[str, bytes]) -> Finding | None:
    try:
        wanted = pack(parts)
    except _TORN as error:
        return Finding("the file", f"it cannot be made of its parts: {error}")
    if wanted == content:
        return None
    length = min(len(wanted), len(content))
    at = next((place for place in range(length) if wanted[place] != content[place]), length)
    return Finding("the file", f"byte {at} around its parts is not as it was made")
