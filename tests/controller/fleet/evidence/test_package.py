"""A package: made the same of the same parts, and any other byte in it is found and named."""

import base64
import hashlib

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.commands.signing import KeysDocument, PublicKey, Signer, encode_key
from lamplighter_controller.fleet.evidence.archive import pack, unpack
from lamplighter_controller.fleet.evidence.manifest import (
    ANCHOR,
    KEYS,
    MANIFEST,
    Manifest,
    Missing,
    entry,
    sign_anchor,
    sign_manifest,
)
from lamplighter_controller.fleet.evidence.verifying import verify_package
from lamplighter_controller.security.chain import row_sha256

ROOT = Signer("root", bytes(range(32)))
KEY = Signer("centre-1", bytes(range(1, 33)))
OTHER = Signer("centre-1", bytes(range(2, 34)))
MADE = 1_763_650_000_000


def keys(begins=0, ends=2**52, key=KEY):
    return ROOT.sign(KeysDocument(1, (PublicKey(key.kid, encode_key(key.public), begins, ends),)).as_json())


def parts_of(files, signer=KEY, keys_document=None, **changes):
    content = {**files, KEYS: keys() if keys_document is None else keys_document}
    entries = tuple(entry(name, "text/plain", file) for name, file in content.items())
    manifest = Manifest("v-1", 1, "centre", MADE, "token:li", 1, entries, (Missing("frames.jsonl", "none kept"),))
    signed = sign_manifest(msgspec.structs.replace(manifest, **changes), signer)
    row = {
        "number": 7,
        "time_ms": MADE,
        "who": "token:li",
        "action": "violation.package",
        "subject": "violation:v-1",
        "reason": "",
        "result": "done",
        "detail": orjson.dumps({"manifest_sha256": hashlib.sha256(signed).hexdigest()}).decode(),
        "previous_sha256": "0" * 64,
    }
    anchor = sign_anchor(row | {"row_sha256": row_sha256(row)}, signer)
    return {MANIFEST: signed, ANCHOR: anchor, **content}


FILES = {"violation.json": b'{"id":"v-1"}', "en.html": b"<p>dumped</p>", "photos/1.jpg": bytes(range(256))}
WHOLE = pack(parts_of(FILES))


@pytest.mark.parametrize("key", [ROOT.public, KEY.public])
def test_a_whole_package_is_whole_and_known_by_root_or_signing_key(key):
    verdict = verify_package(WHOLE, key)
    assert (verdict.findings, verdict.signer_known, verdict.audit_number) == ((), True, 7)
    assert verdict.manifest is not None
    assert verdict.manifest.missing == (Missing("frames.jsonl", "none kept"),)


def test_without_a_key_nobody_vouches_for_it():
    verdict = verify_package(WHOLE)
    assert (verdict.whole, verdict.signer_known) == (True, False)
    assert verdict.fingerprint == hashlib.sha256(KEY.public).hexdigest()[:32]


def test_the_same_parts_make_the_same_bytes():
    assert pack(parts_of(FILES)) == WHOLE
    assert unpack(WHOLE).parts["en.html"] == FILES["en.html"]


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_any_byte_flipped_is_found(at, mask):
    altered = bytearray(WHOLE)
    altered[at] ^= mask
    verdict = verify_package(bytes(altered), ROOT.public)
    assert not verdict.whole
    assert not verdict.signer_known
    assert all(finding.part and finding.what for finding in verdict.findings)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=40))
def test_what_is_cut_off_or_added_is_found(at, more):
    assert not verify_package(WHOLE[:at] + more, ROOT.public).whole
    assert not verify_package(WHOLE + b"\x00" + more, ROOT.public).whole


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_other_file_is_no_package(noise):
    assert not verify_package(noise).whole


@pytest.mark.parametrize("name", sorted(parts_of(FILES)))
def test_a_changed_part_in_a_well_made_archive_is_named(name):
    parts = parts_of(FILES)
    parts[name] += b" "
    assert name in {finding.part for finding in verify_package(pack(parts), ROOT.public).findings}


@pytest.mark.parametrize("name", sorted(parts_of(FILES)))
def test_a_part_taken_away_is_named(name):
    parts = parts_of(FILES)
    del parts[name]
    assert name in {finding.part for finding in verify_package(pack(parts), ROOT.public).findings}


def test_a_part_put_in_is_named():
    found = verify_package(pack({**parts_of(FILES), "more.txt": b"x"}), ROOT.public).findings
    assert [finding.part for finding in found] == ["more.txt"]


def test_parts_in_another_order_still_are_what_they_are():
    parts = parts_of(FILES)
    assert verify_package(pack(dict(reversed(parts.items()))), ROOT.public).whole


@pytest.mark.parametrize(
    "parts",
    [
        parts_of(FILES, signer=OTHER),
        parts_of(FILES, signer=OTHER, keys_document=keys(key=OTHER).replace(b'"version":1', b'"version":2')),
        parts_of(FILES, keys_document=keys(begins=MADE + 1)),
        parts_of(FILES, keys_document=keys(ends=MADE)),
        parts_of(FILES, type="something else"),
        parts_of(FILES, violation="v-2"),
        parts_of(FILES, keys_document=b"[]"),
        parts_of(FILES, keys_document=b'{"keys":[{"kid":"centre-1","public":"AA==","begins":0,"ends":9}]}'),
    ],
    ids=[
        "other key",
        "keys of nobody",
        "key not yet",
        "key no more",
        "type",
        "another violation",
        "no keys",
        "bad key",
    ],
)
def test_who_has_not_the_key_makes_none(parts):
    assert not verify_package(pack(parts), ROOT.public).whole


def test_a_package_made_anew_by_somebody_else_is_not_known():
    forged = pack(parts_of(FILES, signer=OTHER, keys_document=keys(key=OTHER)))
    stranger = Signer("root", bytes(32))
    assert not verify_package(forged, stranger.public).whole
    assert not verify_package(forged, KEY.public).whole


@pytest.mark.parametrize("name", [MANIFEST, ANCHOR])
def test_a_signature_has_one_form(name):
    parts = parts_of(FILES)
    document = orjson.loads(parts[name])
    body = document["sig"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spare = alphabet[alphabet.index(body[-3]) ^ 1]
    altered = body[:-3] + spare + body[-2:]
    assert base64.b64decode(altered) == base64.b64decode(body)
    parts[name] = parts[name].replace(body.encode(), altered.encode())
    assert name in {finding.part for finding in verify_package(pack(parts), ROOT.public).findings}
