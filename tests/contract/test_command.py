"""Commands, their signatures and their life."""

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.commands.command import Command, Operation, Target, read_command
from lamplighter_contract.commands.signing import (
    ROOT_KID,
    Keyring,
    KeysDocument,
    PublicKey,
    Signer,
    decode_key,
    encode_key,
    open_keys,
)
from lamplighter_contract.commands.states import FINAL, CommandState, may_follow, summary
from lamplighter_contract.errors import ContractError, Reason, Refusal
from lamplighter_contract.wire.bounded import read_object

NOW = 1_763_650_000_000
HOUR = 3_600_000
ROOT = Signer(ROOT_KID, b"\x01" * 32)
CENTRE = Signer("centre-1", b"\x02" * 32)


def command(**changes: object) -> dict[str, object]:
    good = Command(
        id="019a9f00-0000-7000-8000-000000000000",
        seq=902,
        gateway="gw-7",
        issued=NOW,
        expires=NOW + 60_000,
        by="user:wang",
        approvals=("user:li",),
        reason="WO-0007 test",
        target=Target(devices=("lamp-7-001",)),
        op=Operation.LIGHT_SET,
        args={"level_percent": 100, "until": NOW + HOUR},
    ).as_json()
    return dict(good | changes)


def keyring(**changes: object) -> Keyring:
    key = {"kid": "centre-1", "public": encode_key(CENTRE.public), "begins": NOW - HOUR, "ends": NOW + HOUR} | changes
    return Keyring(KeysDocument(1, (PublicKey(**key),)))  # type: ignore[arg-type]  # values are right by construction


def received(payload: bytes) -> dict[str, object]:
    document = read_object(payload, 100_000)
    assert isinstance(document, dict)
    return document


def test_a_signed_command_is_read_back():
    document = received(CENTRE.sign(command()))
    assert keyring().check(document, NOW) is None
    read = read_command(document)
    assert isinstance(read, Command)
    assert read.as_json() == command()


def test_fields_that_a_newer_side_added_are_covered_and_ignored():
    document = received(CENTRE.sign(command(tomorrow={"a": 1})))
    assert keyring().check(document, NOW) is None
    assert isinstance(read_command(document), Command)
    assert keyring().check(document | {"tomorrow": {"a": 2}}, NOW) is not None


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_command_changed_anywhere_is_not_taken(position, flip):
    payload = bytearray(CENTRE.sign(command()))
    payload[position % len(payload)] ^= flip
    document = read_object(bytes(payload), 100_000)
    if isinstance(document, dict) and document != received(CENTRE.sign(command())):
        assert keyring().check(document, NOW) is not None


@pytest.mark.parametrize(
    ("ring", "reason"),
    [
        (Keyring(), Reason.KEY),
        (keyring(kid="other"), Reason.KEY),
        (keyring(ends=NOW), Reason.KEY),
        (keyring(begins=NOW + 1), Reason.KEY),
        (keyring(public=encode_key(ROOT.public)), Reason.SIGNATURE),
    ],
)
def test_only_a_key_in_force_counts(ring: Keyring, reason: Reason):
    refusal = ring.check(received(CENTRE.sign(command())), NOW)
    assert refusal is not None
    assert refusal.reason is reason


@pytest.mark.parametrize("signature", [None, "", "AAAA", "not base64!", 7, base64.b64encode(b"x" * 64).decode()])
def test_a_missing_or_foreign_signature_is_refused(signature):
    document = received(CENTRE.sign(command())) | {"sig": signature}
    refusal = keyring().check(document, NOW)
    assert refusal is not None
    assert refusal.reason is Reason.SIGNATURE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"v": 2}, Reason.VERSION),
        ({"op": "light.explode"}, Reason.MALFORMED),
        ({"seq": -1}, Reason.MALFORMED),
        ({"id": ""}, Reason.MALFORMED),
        ({"by": ""}, Reason.MALFORMED),
        ({"gateway": "gw/7"}, Reason.MALFORMED),
        ({"target": {"devices": ["A B"]}}, Reason.MALFORMED),
        ({"target": {"devices": []}}, Reason.MALFORMED),
        ({"target": {"devices": ["a"], "group": "g", "plan_version": 1}}, Reason.MALFORMED),
        ({"target": {"group": "g"}}, Reason.MALFORMED),
        ({"target": {"devices": ["a"] * 2001}}, Reason.MALFORMED),
        ({"op": "gateway.support", "args": {}}, Reason.MALFORMED),
        ({"expires": NOW}, Reason.TOO_LONG),
        ({"expires": NOW + 25 * HOUR}, Reason.TOO_LONG),
        ({"reason": "x" * 501}, Reason.TOO_LARGE),
        ({"args": {"level_percent": 50}}, Reason.ARGUMENT),
        ({"args": {"level_percent": 101, "until": NOW}}, Reason.ARGUMENT),
        ({"args": {"level_percent": True, "until": NOW}}, Reason.ARGUMENT),
        ({"args": {"level_percent": 50, "until": "dawn"}}, Reason.ARGUMENT),
        ({"args": {"level_percent": 50, "until": NOW, "fuel": "cut"}}, Reason.ARGUMENT),
        ({"args": {"level_percent": 100, "until": NOW, "emergency": 1}}, Reason.ARGUMENT),
        ({"args": {"level_percent": 50, "until": NOW, "emergency": True}}, Reason.ARGUMENT),
    ],
)
def test_a_command_that_is_wrong_in_itself_is_refused(changes, reason):
    refusal = read_command(command(**changes))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason


def test_there_is_no_operation_that_brakes_or_cuts():
    words = " ".join(Operation)
    assert not any(word in words for word in ("brake", "fuel", "ignition", "stop"))


def test_keys_come_only_from_the_root_and_never_go_back():
    document = KeysDocument(5, (PublicKey("centre-1", encode_key(CENTRE.public), 0, NOW),)).as_json()
    ring = open_keys(ROOT.sign(document), ROOT.public, Keyring())
    assert isinstance(ring, Keyring)
    assert ring.version == 5
    forged = open_keys(CENTRE.sign(document), ROOT.public, Keyring())
    assert isinstance(forged, Refusal)
    assert forged.reason is Reason.SIGNATURE
    older = open_keys(ROOT.sign(document | {"version": 4}), ROOT.public, ring)
    assert isinstance(older, Refusal)
    assert older.reason is Reason.REPLAYED
    short = document | {"keys": [{"kid": "x", "public": "AAAA", "begins": 0, "ends": 1}]}
    assert isinstance(open_keys(ROOT.sign(short), ROOT.public, ring), Refusal)


def test_what_has_no_canonical_form_is_not_signed():
    with pytest.raises(ContractError):
        CENTRE.sign({"n": 2**60})
    with pytest.raises(ContractError):
        Signer("short", b"\x01")


def test_keys_as_text():
    assert decode_key(encode_key(CENTRE.public)) == CENTRE.public
    for wrong in ("", "AAAA", "###"):
        with pytest.raises(ValueError):
            decode_key(wrong)


@pytest.mark.parametrize("state", CommandState)
def test_only_unconfirmed_is_ever_corrected(state):
    followers = {other for other in CommandState if may_follow(state, other)}
    if state in FINAL and state is not CommandState.UNCONFIRMED:
        assert not followers
    else:
        assert followers
        assert state not in followers
    if state is CommandState.UNCONFIRMED:
        assert followers == FINAL - {CommandState.UNCONFIRMED}


@given(st.lists(st.sampled_from(CommandState), max_size=12))
def test_any_sequence_of_states_ends_in_one_final_state_and_never_steps_back(sequence):
    order = list(CommandState)
    state, finals = CommandState.CREATED, []
    for wanted in sequence:
        if may_follow(state, wanted):
            assert order.index(wanted) > order.index(state) or state is CommandState.UNCONFIRMED
            state = wanted
            if state in FINAL:
                finals.append(state)
    assert len(finals) <= 1 or finals[0] is CommandState.UNCONFIRMED
    assert len(finals) <= 2


def test_a_summary_hides_no_doubt():
    assert summary(frozenset({CommandState.VERIFIED, CommandState.UNCONFIRMED})) is CommandState.UNCONFIRMED
    assert summary(frozenset({CommandState.VERIFIED, CommandState.APPLIED})) is CommandState.APPLIED
    assert summary(frozenset({CommandState.VERIFIED})) is CommandState.VERIFIED
    assert summary(frozenset()) is CommandState.CREATED


def test_canonical_json_sorts_and_keeps_numbers_short():
    signed = orjson.loads(CENTRE.sign({"b": 1.0, "a": [True, None]}))
    assert set(signed) == {"a", "b", "kid", "sig"}
