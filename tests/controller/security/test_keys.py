"""Key files are private, made once, and fit together."""

import os

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
