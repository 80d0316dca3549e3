"""Is a package what its controller made? Needs the file and, to know who made it, a public key; no server. Pure."""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from lamplighter_contract.commands.signing import Keyring, PublicKey, canonical, decode_key, open_keys, verify
from lamplighter_contract.errors import ContractError, Refusal
from lamplighter_controller.fleet.evidence.archive import Finding, unpack
from lamplighter_controller.fleet.evidence.manifest import ANCHOR, ANCHOR_TYPE, KEYS, MANIFEST, TYPE, Manifest
from lamplighter_controller.security.chain import row_sha256


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said of a package; it is whole when there are no findings.

    `signer_known`: a key that was handed in vouches for the signature. `fingerprint`: of the key that signed.
    """

    findings: tuple[Finding, ...]
    manifest: Manifest | None = None
    manifest_sha256: str = ""
    fingerprint: str = ""
    signer_known: bool = False
    audit_number: int | None = None

    @property
    def whole(self) -> bool:
        """True when not a byte is other than it was made."""
        return not self.findings


def verify_package(content: bytes, key: bytes | None = None) -> Verdict:
    """Check a package against itself, and against a key that the checker trusts: the root's, or the signing key."""
    unpacked = unpack(content)
    findings = list(unpacked.findings)
    document = _document(unpacked.parts, MANIFEST, findings)
    if document is None:
        return Verdict(tuple(findings))
    manifest = _manifest(document, findings)
    public, vouched = _signer(unpacked.parts, document, key, findings)
    findings += _signature(MANIFEST, document, public)
    if manifest is not None:
        findings += _parts(unpacked.parts, manifest)
    digest = hashlib.sha256(unpacked.parts[MANIFEST]).hexdigest()
    number = _anchor(unpacked.parts, public, digest, manifest, findings)
    fingerprint = hashlib.sha256(public).hexdigest()[:32] if public else ""
    return Verdict(tuple(findings), manifest, digest, fingerprint, vouched and not findings, number)


def _document(parts: Mapping[str, bytes], name: str, findings: list[Finding]) -> dict[str, Any] | None:
    if name not in parts:
        findings.append(Finding(name, "it is missing"))
        return None
    try:
        document = orjson.loads(parts[name])
        same = isinstance(document, dict) and canonical(document) == parts[name]
    except (orjson.JSONDecodeError, ContractError, ValueError):
        same = False
    if not same:
        findings.append(Finding(name, "it is not JSON in its canonical form"))
        return None
    return dict(document)


def _manifest(document: Mapping[str, Any], findings: list[Finding]) -> Manifest | None:
    try:
        manifest = msgspec.convert(document, Manifest)
    except msgspec.ValidationError as error:
        findings.append(Finding(MANIFEST, str(error)))
        return None
    if manifest.type != TYPE:
        findings.append(Finding(MANIFEST, f"its type is {manifest.type[:40]!r}, expected {TYPE!r}"))
    return manifest


def _signer(
    parts: Mapping[str, bytes], document: Mapping[str, Any], key: bytes | None, findings: list[Finding]
) -> tuple[bytes | None, bool]:
    """The public key that the manifest names, and whether `key` vouches for it."""
    listed = _listed(parts, findings)
    named = next((one for one in listed if one.kid == document.get("kid")), None)
    if named is None:
        findings.append(Finding(KEYS, f"the key {str(document.get('kid'))[:64]!r} of the manifest is not in it"))
        return None, False
    public = decode_key(named.public)
    made_ms = document.get("made_ms")
    if not isinstance(made_ms, int) or not named.begins <= made_ms < named.ends:
        findings.append(Finding(MANIFEST, f"the key {named.kid!r} was not in force when it was made"))
    if key is None:
        return public, False
    if key == public or isinstance(open_keys(parts[KEYS], key, Keyring()), Keyring):
        return public, True
    findings.append(Finding(KEYS, "neither the signing key nor the root behind it is the key that was handed in"))
    return public, False


def _listed(parts: Mapping[str, bytes], findings: list[Finding]) -> tuple[PublicKey, ...]:
    try:
        keys = msgspec.convert(orjson.loads(parts[KEYS])["keys"], tuple[PublicKey, ...])
        for one in keys:
            decode_key(one.public)
    except (KeyError, TypeError, ValueError, msgspec.ValidationError):
        findings.append(Finding(KEYS, "it is missing or holds no keys"))
        return ()
    return keys


def _signature(name: str, document: Mapping[str, Any], public: bytes | None) -> Iterator[Finding]:
    if public is None or isinstance(verify(document, public), Refusal) or not _one_form(document.get("sig")):
        yield Finding(name, "its signature does not fit")


def _one_form(signature: object) -> bool:
    """True when base64 is written in the one way that its bytes have: spare bits would let a text be altered."""
    try:
        return isinstance(signature, str) and base64.b64encode(base64.b64decode(signature)).decode() == signature
    except (binascii.Error, ValueError):
        return False


def _parts(parts: Mapping[str, bytes], manifest: Manifest) -> Iterator[Finding]:
    for one in manifest.parts:
        content = parts.get(one.name)
        if content is None:
            yield Finding(one.name, "it is missing")
        elif (len(content), hashlib.sha256(content).hexdigest()) != (one.size, one.sha256):
            yield Finding(one.name, "it is not what the manifest says")
    listed = {one.name for one in manifest.parts} | {MANIFEST, ANCHOR}
    for name in parts:
        if name not in listed:
            yield Finding(name, "the manifest does not know it")


def _anchor(
    parts: Mapping[str, bytes],
    public: bytes | None,
    digest: str,
    manifest: Manifest | None,
    findings: list[Finding],
) -> int | None:
    document = _document(parts, ANCHOR, findings)
    if document is None:
        return None
    findings += _signature(ANCHOR, document, public)
    row = document.get("row")
    try:
        assert isinstance(row, dict)
        fits = document.get("type") == ANCHOR_TYPE and row["row_sha256"] == row_sha256(row)
        told = orjson.loads(row["detail"])
        fits = fits and told["manifest_sha256"] == digest
        fits = fits and (manifest is None or row["subject"] == f"violation:{manifest.violation}")
        number = row["number"]
    except (AssertionError, KeyError, TypeError, ValueError):
        fits, number = False, None
    if not fits:
        findings.append(Finding(ANCHOR, "it is no row of an audit trail that holds this manifest's digest"))
    return number if fits and isinstance(number, int) else None
