"""Signatures: Ed25519 (RFC 8032) over the canonical JSON (RFC 8785) of an object without its `sig`.

The check is made on the raw object as received, before typed decoding, so that fields a newer side added are covered.
Gateways hold public keys only. The keys in force come in a document signed by the offline root key.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lamplighter_contract.errors import ContractError, Reason, Refusal
from lamplighter_contract.wire.bounded import read_object
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES
from lamplighter_contract.wire.version import WIRE_VERSION

ROOT_KID: Final = "root"
KEY_BYTES: Final = 32


class Signer:
    """A private key and its name."""

    def __init__(self, kid: str, private: bytes) -> None:
        """Take a raw 32-byte Ed25519 seed.

        Raises:
            ContractError: it is not 32 bytes.
        """
        if len(private) != KEY_BYTES:
            raise ContractError(f"an Ed25519 private key has {KEY_BYTES} bytes, not {len(private)}")
        self.kid = kid
        self._key = Ed25519PrivateKey.from_private_bytes(private)

    @property
    def public(self) -> bytes:
        """The raw 32-byte public half."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, document: Mapping[str, Any]) -> bytes:
        """The document with `kid` and `sig`, as it is sent.

        Raises:
            ContractError: a value has no canonical form (a whole number beyond 2**53, NaN).
        """
        unsigned = {**document, "kid": self.kid}
        unsigned.pop("sig", None)
        signature = self._key.sign(canonical(unsigned))
        return orjson.dumps(unsigned | {"sig": base64.b64encode(signature).decode()})


def canonical(document: Mapping[str, Any]) -> bytes:
    """RFC 8785 canonical bytes.

    Raises:
        ContractError: a value has no canonical form.
    """
    try:
        return rfc8785.dumps(dict(document))
    except rfc8785.CanonicalizationError as error:
        raise ContractError(f"no canonical form: {error}") from error


def encode_key(key: bytes) -> str:
    """A key as it stands in files and documents."""
    return base64.b64encode(key).decode()


def decode_key(text: str) -> bytes:
    """A key from its base64 text.

    Raises:
        ValueError: it is not the base64 text of 32 bytes.
    """
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"{len(key)} bytes, expected {KEY_BYTES}")
    return key


class PublicKey(msgspec.Struct, frozen=True):
    """One key in force between two real epoch ms."""

    kid: str
    public: str
    begins: int
    ends: int


class KeysDocument(msgspec.Struct, frozen=True):
    """The content of `down/<gateway>/keys`."""

    version: int
    keys: tuple[PublicKey, ...]
    v: int = WIRE_VERSION

    def as_json(self) -> Any:
        """The document as plain JSON values, to be signed by the root key."""
        return msgspec.to_builtins(self)


class Keyring:
    """Public keys by name, as one accepted keys document gave them."""

    def __init__(self, document: KeysDocument | None = None) -> None:
        """Begin with the keys of a document, or with none."""
        self.version = document.version if document else 0
        self._keys = {key.kid: (key, decode_key(key.public)) for key in document.keys} if document else {}

    def check(self, document: Mapping[str, Any], wall_ms: int) -> Refusal | None:
        """None when `document` carries a valid signature by a key in force at `wall_ms`."""
        kid = document.get("kid")
        found = self._keys.get(kid) if isinstance(kid, str) else None
        if found is None:
            return Refusal(Reason.KEY, f"key {str(kid)[:64]!r} is not known here")
        key, public = found
        if not key.begins <= wall_ms < key.ends:
            return Refusal(Reason.KEY, f"key {kid!r} is not in force now")
        return verify(document, public)


def verify(document: Mapping[str, Any], public: bytes) -> Refusal | None:
    """None when `sig` is the signature of the rest by the owner of `public`."""
    unsigned = dict(document)
    signature = unsigned.pop("sig", None)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            base64.b64decode(signature, validate=True), canonical(unsigned)
        )
    except (InvalidSignature, ContractError, binascii.Error, TypeError, ValueError):
        return Refusal(Reason.SIGNATURE, "the signature does not fit")
    return None


def open_keys(payload: bytes, root_public: bytes, known: Keyring) -> Keyring | Refusal:
    """The keyring of a keys document, when the root key signed it and it is not older than the one known."""
    found = read_object(payload, MAX_DOCUMENT_BYTES)
    if isinstance(found, Refusal):
        return found
    refusal = verify(found, root_public)
    if refusal is not None:
        return refusal
    try:
        document = msgspec.convert(found, KeysDocument)
        if document.version < known.version:
            return Refusal(Reason.REPLAYED, f"version {document.version} is older than {known.version}")
        return Keyring(document)
    except (msgspec.ValidationError, ValueError) as error:
        return Refusal(Reason.MALFORMED, f"keys: {error}")
