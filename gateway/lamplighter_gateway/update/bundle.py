"""A bundle file: a tar archive (POSIX.1-2001) of a signed manifest and the wheels that it names, in its order."""

import hashlib
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.bounded import read_object
from lamplighter_gateway.update.manifest import (
    MOST_MANIFEST_BYTES,
    PRODUCT,
    Machine,
    Manifest,
    Wheel,
    read_manifest,
    unfit,
)

MANIFEST: Final = "manifest.json"
BLOCK_BYTES: Final = 1024 * 1024


def write(
    target: Path, wheels: Sequence[Path], *, version: str, architecture: str, python: str, signer: Signer
) -> None:
    """Make a bundle of wheels; the same wheels give the same bytes."""
    files = tuple(_wheel(path) for path in sorted(wheels, key=lambda path: path.name))
    manifest = signer.sign(Manifest(PRODUCT, version, architecture, python, files).as_json())
    folder = {path.name: path for path in wheels}
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(_entry(MANIFEST, len(manifest)), io.BytesIO(manifest))
        for file in files:
            with folder[file.name].open("rb") as content:
                archive.addfile(_entry(file.name, file.size), content)


def manifest_of(bundle: Path, root_key: bytes) -> Manifest | Refusal:
    """What a bundle says of itself, its signature checked; its files are not."""
    try:
        with tarfile.open(bundle, "r:") as archive:
            return _manifest(archive, root_key)
    except (OSError, tarfile.TarError, EOFError) as error:
        return Refusal(Reason.MALFORMED, f"{bundle.name} is no bundle: {error}")


def unpack(bundle: Path, folder: Path, root_key: bytes, machine: Machine) -> Manifest | Refusal:
    """Check a whole bundle for this machine and put its wheels into an empty folder; refused, they are of no use."""
    try:
        with tarfile.open(bundle, "r:") as archive:
            manifest = _manifest(archive, root_key)
            if isinstance(manifest, Refusal):
                return manifest
            return unfit(manifest, machine) or _files(archive, manifest, folder) or manifest
    except (OSError, tarfile.TarError, EOFError) as error:
        return Refusal(Reason.MALFORMED, f"{bundle.name} is no whole bundle: {error}")


def _manifest(archive: tarfile.TarFile, root_key: bytes) -> Manifest | Refusal:
    first = archive.next()
    content = archive.extractfile(first) if first is not None and first.isreg() else None
    if first is None or content is None or first.name != MANIFEST or first.size > MOST_MANIFEST_BYTES:
        return Refusal(Reason.MALFORMED, f"the first file is not {MANIFEST}")
    document = read_object(content.read(MOST_MANIFEST_BYTES), MOST_MANIFEST_BYTES)
    return document if isinstance(document, Refusal) else read_manifest(document, root_key)


def _files(archive: tarfile.TarFile, manifest: Manifest, folder: Path) -> Refusal | None:
    for file in manifest.files:
        entry = archive.next()
        content = archive.extractfile(entry) if entry is not None and entry.isreg() else None
        if entry is None or content is None:
            return Refusal(Reason.LENGTH, f"{file.name} is missing: the bundle is cut off")
        if (entry.name, entry.size) != (file.name, file.size):
            return Refusal(Reason.MALFORMED, f"{entry.name[:80]} stands where {file.name} is expected")
        if not _copy(content, folder / file.name, file):
            return Refusal(Reason.SIGNATURE, f"{file.name} is not the file that was signed, or it is cut off")
    if archive.next() is not None:
        return Refusal(Reason.MALFORMED, "there are more files than the manifest names")
    return None


def _copy(content: IO[bytes], target: Path, file: Wheel) -> bool:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as out:
        while block := content.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            out.write(block)
    return size == file.size and digest.hexdigest() == file.sha256


def _wheel(path: Path) -> Wheel:
    with path.open("rb") as content:
        return Wheel(path.name, path.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest())


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = 0o644
    return entry
