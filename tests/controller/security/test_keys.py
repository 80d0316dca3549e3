"""Key files are private, made once, and fit together."""

import os

import orjson
import pytest

from lamplighter_contract.commands.signing import Keyring, Signer, open_keys
from lamplighter_controller.security import keys

NOW_MS = 1_763_650_000_000
YEAR_MS = 365 * 86_400_000


@pytest.fixture
def made(tmp_path):
    return make(tmp_path / "keys")


def make(folder, random=os.urandom):
    return keys.create(folder, kid="commands-1", begins_ms=NOW_MS, ends_ms=NOW_MS + YEAR_MS, random=random)


def test_what_the_key_signs_a_gateway_accepts(made):
    keyring = open_keys(made.document, made.root_public, Keyring())
    assert isinstance(keyring, Keyring)
    signed = made.signer.sign({"v": 1, "op": "light.set"})
    import orjson

    assert keyring.check(orjson.loads(signed), NOW_MS) is None
    assert keyring.check(orjson.loads(signed), NOW_MS + YEAR_MS) is not None


def test_private_keys_are_for_the_owner_only(made, tmp_path):
    for name in (keys.ROOT_FILE, keys.SIGNING_FILE):
        assert (tmp_path / "keys" / name).stat().st_mode & 0o777 == 0o600


def test_made_once(made, tmp_path):
    def no_more(_):
        raise AssertionError("a key was made again")

    again = make(tmp_path / "keys", random=no_more)
    assert (again.document, again.signer.public) == (made.document, made.signer.public)


def test_the_root_key_is_not_needed_to_run(made, tmp_path):
    (tmp_path / "keys" / keys.ROOT_FILE).unlink()
    assert keys.load(tmp_path / "keys").signer.public == made.signer.public


def test_a_key_open_to_others_is_refused(made, tmp_path):
    (tmp_path / "keys" / keys.SIGNING_FILE).chmod(0o640)
    with pytest.raises(keys.KeyFileWrong, match="chmod 600"):
        keys.load(tmp_path / "keys")


@pytest.mark.parametrize("content", ["", "commands-1", "commands-1 !!", "commands-1 AAAA", b"\xff\xfe"])
def test_a_broken_key_file_is_named(made, tmp_path, content):
    path = tmp_path / "keys" / keys.SIGNING_FILE
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(keys.KeyFileWrong, match=r"commands\.key"):
        keys.load(tmp_path / "keys")


def test_a_missing_key_file_is_named(tmp_path):
    with pytest.raises(keys.KeyFileWrong, match=r"root\.pub"):
        keys.load(tmp_path)


def test_another_root_key_does_not_open_the_document(made):
    other = Signer("root", os.urandom(32))
    assert not isinstance(open_keys(made.document, other.public, Keyring()), Keyring)


def test_a_rotated_key_signs_at_once_and_the_old_one_ends_after_the_overlap(tmp_path):
    before = make(tmp_path)
    holder = keys.load(tmp_path)
    signer = holder.signer
    root = keys.load_key(tmp_path / keys.ROOT_FILE)
    later_ms = NOW_MS + 1_000
    after = keys.rotate(
        tmp_path, root, now_ms=later_ms, ends_ms=later_ms + YEAR_MS, overlap_ms=5_000, random=os.urandom
    )
    ring = open_keys(after.document, before.root_public, Keyring())
    assert isinstance(ring, Keyring)
    old, new = before.signer.sign({"a": 1}), after.signer.sign({"a": 1})
    assert after.signer.kid != before.signer.kid
    for wall_ms, fits in ((later_ms, True), (later_ms + 5_000, False)):
        assert (ring.check(orjson.loads(old), wall_ms) is None) is fits
        assert ring.check(orjson.loads(new), wall_ms) is None
    holder.exchange(after)
    assert signer.kid == after.signer.kid
    assert ring.check(orjson.loads(signer.sign({"b": 2})), later_ms) is None


def test_a_stolen_key_is_gone_at_once(tmp_path):
    before = make(tmp_path)
    root = keys.load_key(tmp_path / keys.ROOT_FILE)
    after = keys.rotate(tmp_path, root, now_ms=NOW_MS + 1, ends_ms=NOW_MS + YEAR_MS, overlap_ms=0, random=os.urandom)
    known = open_keys(before.document, before.root_public, Keyring())
    assert isinstance(known, Keyring)
    ring = open_keys(after.document, before.root_public, known)
    assert isinstance(ring, Keyring)
    assert ring.check(orjson.loads(before.signer.sign({})), NOW_MS + 1) is not None


def test_only_the_root_key_rotates(tmp_path):
    make(tmp_path)
    stranger = Signer("root", bytes([9] * 32))
    with pytest.raises(keys.KeyFileWrong, match="not the root key"):
        keys.rotate(tmp_path, stranger, now_ms=NOW_MS, ends_ms=NOW_MS + 1, overlap_ms=0, random=os.urandom)
