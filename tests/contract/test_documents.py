"""Retained documents, and the recorded messages of every released version."""

from pathlib import Path

import orjson
import pytest

from lamplighter_contract.commands.command import Command, read_command
from lamplighter_contract.commands.signing import Keyring, decode_key, open_keys
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.ack import decode_ack
from lamplighter_contract.wire.bounded import read_object
from lamplighter_contract.wire.documents import ControllerState, DevicesDocument, GatewayState, Health
from lamplighter_contract.wire.frame import ReadingsFrame, decode_frame

GOLDEN = Path(__file__).parent / "golden"
ROOT_PUBLIC = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w="


def golden(pattern: str) -> list[Path]:
    found = sorted(GOLDEN.glob(pattern))
    assert found, f"no recorded {pattern}"
    return found


@pytest.mark.parametrize("path", golden("v1/frame-*.json"), ids=lambda path: path.stem)
def test_recorded_frames_are_still_understood(path: Path):
    decoded = decode_frame(path.read_bytes())
    assert not isinstance(decoded, Refusal)
    assert decoded.refused == ()
    if isinstance(decoded, ReadingsFrame):
        assert decoded.columns


@pytest.mark.parametrize("path", golden("v1/ack-*.json"), ids=lambda path: path.stem)
def test_recorded_acks_are_still_understood(path: Path):
    assert not isinstance(decode_ack(path.read_bytes()), Refusal)


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("v1/state-birth.json", GatewayState),
        ("v1/state-will.json", GatewayState),
        ("v1/devices.json", DevicesDocument),
        ("v1/health.json", Health),
        ("v1/controller-state.json", ControllerState),
    ],
)
def test_recorded_documents_are_still_understood(pattern, kind):
    for path in golden(pattern):
        assert isinstance(documents.decode(path.read_bytes(), kind), kind)


def test_recorded_commands_still_verify_under_recorded_keys():
    ring = open_keys((GOLDEN / "v1/keys.json").read_bytes(), decode_key(ROOT_PUBLIC), Keyring())
    assert isinstance(ring, Keyring)
    for path in golden("v1/command-*.json"):
        document = read_object(path.read_bytes(), 100_000)
        assert isinstance(document, dict)
        assert ring.check(document, document["issued"]) is None
        assert isinstance(read_command(document), Command)


@pytest.mark.parametrize(
    ("payload", "kind", "reason"),
    [
        (b"{}", GatewayState, Reason.MALFORMED),
        (b'{"v":2,"boot":"b","online":true}', GatewayState, Reason.VERSION),
        (b'{"boot":"","online":true}', GatewayState, Reason.MALFORMED),
        (
            b'{"devices":[{"device":"A B","kind":"lamp","profile":"p","address":"1"}]}',
            DevicesDocument,
            Reason.MALFORMED,
        ),
        (b'{"devices":[{"device":"a","kind":"x","profile":"p","address":"1"}]}', DevicesDocument, Reason.MALFORMED),
        (
            b'{"devices":[{"device":"a","kind":"lamp","profile":"p","address":"1","latitude":91}]}',
            DevicesDocument,
            Reason.MALFORMED,
        ),
        (b" " * 2_000_000, Health, Reason.TOO_LARGE),
    ],
)
def test_bad_documents_are_refused(payload, kind, reason):
    refusal = documents.decode(payload, kind)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason


def test_unknown_fields_are_ignored_within_a_version():
    decoded = documents.decode(b'{"boot":"b","online":true,"tomorrow":1}', GatewayState)
    assert isinstance(decoded, GatewayState)
    assert documents.decode(documents.encode(decoded), GatewayState) == decoded


@pytest.mark.parametrize("number", [-1, 2**52, 2**53, 2**63, 2**64, 10**30])
@pytest.mark.parametrize("field", ["highest_seq", "plan_version", "config_version"])
def test_a_number_that_no_ledger_or_signature_can_hold_is_refused(field, number):
    refusal = documents.decode(f'{{"boot":"b","online":true,"{field}":{number}}}'.encode(), GatewayState)
    assert isinstance(refusal, Refusal)
    assert field in refusal.detail


@pytest.mark.parametrize("field", ["boot", "version", "config_source"])
@pytest.mark.parametrize("character", ["\\u0000", "\\u001b", "\\n", "\\u007f"])
def test_text_with_a_control_character_is_refused(field, character):
    payload = orjson.dumps(
        {"online": True, "boot": "b", "version": "1", "config_source": "file"} | {field: "a@b"}
    ).decode()
    assert isinstance(documents.decode(payload.replace("@", character).encode(), GatewayState), Refusal)
    assert isinstance(documents.decode(payload.encode(), GatewayState), GatewayState)


def test_a_device_that_is_listed_twice_is_refused():
    entry = '{"device":"lamp-1","kind":"lamp","profile":"p","address":"1"}'
    refusal = documents.decode(f'{{"devices":[{entry},{entry}]}}'.encode(), DevicesDocument)
    assert isinstance(refusal, Refusal)
    assert "lamp-1 is there more than once" in refusal.detail
