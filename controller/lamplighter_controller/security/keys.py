"""Key files: the key that signs commands, and the root key that says which signing keys are in force.

The root key signs the keys document once and belongs into a safe; only a demo leaves it beside the others.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from lamplighter_contract.commands.signing import (
    KEY_BYTES,
    ROOT_KID,
    KeysDocument,
    PublicKey,
    Signer,
    decode_key,
    encode_key,
)
from lamplighter_controller.errors import ControllerError

Random = Callable[[int], bytes]
ROOT_FILE: Final = "root.key"
ROOT_PUBLIC_FILE: Final = "root.pub"
SIGNING_FILE: Final = "commands.key"
DOCUMENT_FILE: Final = "keys.json"
OTHERS: Final = 0o077
CLOCKS_APART_MS: Final = 3_600_000  # a gateway's clock may be behind ours


class KeyFileWrong(ControllerError):
    """A key file is missing, readable by others, or no key; the message names it."""


class CurrentSigner(Signer):
    """The key in use now; whoever holds this signs with another one from the moment it is exchanged."""

    @classmethod
    def of(cls, signer: Signer) -> "CurrentSigner":
        """Begin with a key."""
        current = cls.__new__(cls)
        current.exchange(signer)
        return current

    def exchange(self, other: Signer) -> None:
        """Sign with the other's key from now on."""
        self.kid, self._key = other.kid, other._key  # noqa: SLF001 - one signer takes the place of another


@dataclass(slots=True)
class Keys:
    """What the controller signs with: the signer, the signed keys document, and the root's public half if known."""

    signer: Signer
    document: bytes
    root_public: bytes

    def exchange(self, other: "Keys") -> None:
        """Take up other keys; everybody who holds these signs with them from now on."""
        assert isinstance(self.signer, CurrentSigner)
        self.document = other.document
        self.signer.exchange(other.signer)


def create(folder: Path, *, kid: str, begins_ms: int, ends_ms: int, random: Random) -> Keys:
    """Make root key, signing key and keys document where they do not exist yet, and load them.

    Raises:
        KeyFileWrong: files are there that are no keys or are open to others.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_key(folder / ROOT_FILE, ROOT_KID, random)
    _make_key(folder / SIGNING_FILE, kid, random)
    root = load_key(folder / ROOT_FILE)
    if not (folder / ROOT_PUBLIC_FILE).exists():
        _write(folder / ROOT_PUBLIC_FILE, encode_key(root.public) + "\n", mode=0o644)
    if not (folder / DOCUMENT_FILE).exists():
        signer = load_key(folder / SIGNING_FILE)
        in_force = PublicKey(signer.kid, encode_key(signer.public), begins_ms, ends_ms)
        document = sign_document(root, KeysDocument(begins_ms, (in_force,)))
        _write(folder / DOCUMENT_FILE, document.decode(), mode=0o644)
    return load(folder)


def load(folder: Path) -> Keys:
    """The signing key and the signed document; the root key itself is not needed.

    Raises:
        KeyFileWrong: one of the files is missing, open to others or no key.
    """
    root_public = _read(folder / ROOT_PUBLIC_FILE).strip()
    return Keys(
        CurrentSigner.of(load_key(folder / SIGNING_FILE)),
        _read(folder / DOCUMENT_FILE).encode(),
        _decode(root_public, folder / ROOT_PUBLIC_FILE),
    )


def rotate(folder: Path, root: Signer, *, now_ms: int, ends_ms: int, overlap_ms: int, random: Random) -> Keys:
    """A new signing key, and a document of a higher version that retires the old one after the overlap, 0 = at once.

    The document is written first: cut off in between, the old key still signs, and is in force for the overlap.

    Raises:
        KeyFileWrong: a file is missing, open to others or no key; or `root` is not the root key of the document.
    """
    known = load(folder)
    if root.public != known.root_public:
        raise KeyFileWrong(f"this is not the root key of {folder / ROOT_PUBLIC_FILE}")
    before = msgspec.json.decode(known.document, type=KeysDocument)
    kid, private = f"{known.signer.kid.rpartition('-')[0] or known.signer.kid}-{now_ms}", random(KEY_BYTES)
    fresh = PublicKey(kid, encode_key(Signer(kid, private).public), now_ms - CLOCKS_APART_MS, ends_ms)
    old = [replace(key, ends=min(key.ends, now_ms + overlap_ms)) for key in before.keys if key.ends > now_ms]
    document = KeysDocument(max(before.version + 1, now_ms), (fresh, *(old if overlap_ms else ())))
    _write(folder / DOCUMENT_FILE, sign_document(root, document).decode(), mode=0o644)
    _write(folder / SIGNING_FILE, f"{kid} {encode_key(private)}\n", mode=0o600)
    return load(folder)


def load_key(path: Path) -> Signer:
    """A private key from its file: one line, `<kid> <base64>`.

    Raises:
        KeyFileWrong: missing, open to others, or no key.
    """
    kid, _, key = _read(path).strip().partition(" ")
    if path.stat().st_mode & OTHERS:
        raise KeyFileWrong(f"{path} is readable by others: chmod 600 {path}")
    if not kid:
        raise KeyFileWrong(f"{path} is empty, expected one line: <name> <base64 of {KEY_BYTES} bytes>")
    return Signer(kid, _decode(key, path))


def sign_document(root: Signer, document: KeysDocument) -> bytes:
    """The content of `down/<gateway>/keys`, signed by the root key."""
    return root.sign(document.as_json())


def _make_key(path: Path, kid: str, random: Random) -> None:
    if not path.exists():
        _write(path, f"{kid} {encode_key(random(KEY_BYTES))}\n", mode=0o600)


def _write(path: Path, text: str, mode: int) -> None:
    """Write durably and at once: a key that is half there after a power cut would be lost."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileWrong(f"{path}: {error}") from error


def _decode(text: str, path: Path) -> bytes:
    try:
        return decode_key(text)
    except ValueError as error:
        raise KeyFileWrong(f"{path} holds no key: {error}") from error
