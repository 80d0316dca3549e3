"""Any bytes are understood or refused; no decoder of the wire ever raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.commands.signing import Keyring, Signer, open_keys
from lamplighter_contract.errors import Refusal
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.ack import Ack, decode_ack
from lamplighter_contract.wire.documents import ControllerState, DevicesDocument, GatewayState, Health
from lamplighter_contract.wire.frame import Envelope, decode_body, decode_envelope, decode_frame, readings_body, seal

SIGNER = Signer("root", bytes(range(32)))
FRAME = seal(readings_body(Kind.LAMP, ["lamp-1"], [1_763_650_000_000], {"power_w": [5.5]}, [0]), Envelope(7, "b", 1))
GOOD = [
    FRAME,
    Ack("centre", 3, "boot", ((1, 4),)).encode(),
    documents.encode(GatewayState("boot", online=True)),
    documents.encode(ControllerState("centre", "boot", 3, online=True, storing=True)),
    SIGNER.sign({"v": 1, "version": 1, "keys": []}),
]
DECODERS = [
    decode_frame,
    decode_body,
    decode_envelope,
    decode_ack,
    lambda payload: open_keys(payload, SIGNER.public, Keyring()),
    *(
        lambda payload, kind=kind: documents.decode(payload, kind)
        for kind in (GatewayState, DevicesDocument, Health, ControllerState)
    ),
]


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("noise", [b'{"v":"\xcf"}', b'{"\xcf":1}', b'{"v":1,"boot":"\xed\xa0\x80"}', b"\xff\xfe{}"])
def test_text_that_is_no_utf_8_is_refused(decode, noise):
    assert isinstance(decode(noise), Refusal)


@given(st.sampled_from(DECODERS), st.sampled_from(GOOD), st.integers(0, 400), st.binary(max_size=6), st.booleans())
def test_a_spoilt_message_raises_nothing(decode, good, place, noise, over):
    place %= len(good)
    decode(good[:place] + noise + good[place + len(noise) * over :])
