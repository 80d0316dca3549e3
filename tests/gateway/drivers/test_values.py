import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import QUANTITIES, Kind, Quantity
from lamplighter_gateway.drivers.modbus.planner import Span
from lamplighter_gateway.drivers.modbus.values import bits_decoder, block_decoder, encode
from lamplighter_gateway.drivers.port import Value
from lamplighter_gateway.profiles.model import Order, Register, RegisterField, Table, Type


def field(name, kind=Type.UINT16, *, device=Kind.LAMP, not_read=None, **register):
    return RegisterField(QUANTITIES[device][name], Register(Table.HOLDING, 0, kind, **register), not_read)


def decode_one(one, answer):
    values: dict[str, Value] = {}
    quality = block_decoder(Span(0, len(answer) // 2), [(one, 0)])(answer, values)
    return values[one.quantity.name], quality


@pytest.mark.parametrize(
    ("one", "answer", "expected"),
    [
        (field("switched_on", Type.FLAG), "0000", False),
        (field("switched_on", Type.FLAG), "0001", True),
        (field("switched_on", Type.FLAG), "0100", True),
        (field("switched_on", Type.FLAG, not_read=0xFFFF), "ffff", None),
        (field("level_percent"), "003c", 60),
        (field("voltage_v", scale=0.1), "0908", 231.2),
        (field("voltage_v", scale=0.1, not_read=0xFFFF), "ffff", None),
        (field("voltage_v", scale=0.1, order=Order.DCBA), "0809", 231.2),
        (field("voltage_v", scale=0.1, order=Order.BADC), "0809", 231.2),
        (field("voltage_v", scale=0.1, order=Order.CDAB), "0908", 231.2),
        (field("temperature_c", Type.INT16, scale=0.1), "ff9c", -10.0),
        (field("temperature_c", Type.INT16, scale=0.1, not_read=0x8000), "8000", None),
        (field("temperature_c", Type.UINT16, offset=-40), "0041", 25),
        (field("energy_kwh", Type.UINT32, scale=0.001), "0001e240", 123.456),
        (field("energy_kwh", Type.UINT32, scale=0.001, order=Order.DCBA), "40e20100", 123.456),
        (field("energy_kwh", Type.UINT32, scale=0.001, order=Order.BADC), "010040e2", 123.456),
        (field("energy_kwh", Type.UINT32, scale=0.001, order=Order.CDAB), "e2400001", 123.456),
        (field("energy_kwh", Type.UINT32, not_read=0xFFFF), "ffffffff", None),
        (field("energy_kwh", Type.UINT32, not_read=0xFFFF), "0000ffff", 65535),
        (field("energy_kwh", Type.UINT32, scale=10), "00000007", 70),
        (field("power_w", Type.INT32, scale=0.1), "ffffffff", -0.1),
        (field("power_w", Type.FLOAT32), "42480000", 50.0),
        (field("power_w", Type.FLOAT32, order=Order.CDAB), "00004248", 50.0),
        (field("power_w", Type.FLOAT32), "7fc00000", None),
        (field("fault_bits"), "8001", 0x8001),
        (field("fault_bits", Type.BITS, bit=4, width=4), "00a0", 0xA),
        (field("switched_on", Type.BITS, bit=3, width=1), "0008", True),
        (field("switched_on", Type.BITS, bit=3, width=1), "fff7", False),
    ],
)
def test_good_values(one, answer, expected):
    value, quality = decode_one(one, bytes.fromhex(answer))
    assert value == expected
    assert type(value) is type(expected) or isinstance(value, float)
    assert quality == 0


@pytest.mark.parametrize(
    ("one", "answer"),
    [
        (field("level_percent"), "0065"),
        (field("power_factor", Type.INT16, scale=0.001), "03e9"),
        (field("voltage_v", order=Order.BADC), "e903"),
        (field("power_w", Type.FLOAT32), "7f800000"),
        (field("temperature_c", Type.INT16, scale=0.1), "8000"),
    ],
)
def test_what_no_instrument_can_say_is_not_read_and_marked_never_clamped(one, answer):
    assert decode_one(one, bytes.fromhex(answer)) == (None, Quality.OUT_OF_RANGE)


def test_a_block_with_holes_and_shared_registers():
    fields = [
        (field("switched_on", Type.BITS, bit=0, width=1), 102),
        (field("fault_bits", Type.BITS, bit=8, width=8), 102),
        (field("energy_kwh", Type.UINT32), 105),
        (field("level_percent"), 101),
    ]
    answer = struct.pack(">8H", 9, 60, 0x4201, 9, 9, 0, 7, 9)
    values: dict[str, Value] = {}
    assert block_decoder(Span(100, 8), fields)(answer, values) == 0
    assert values == {"switched_on": True, "fault_bits": 0x42, "energy_kwh": 7, "level_percent": 60}


def test_coils_come_lowest_bit_first():
    values: dict[str, Value] = {}
    names = [("switched_on", 17), ("level_percent", 24)]
    bits_decoder(Span(16, 9), [(field(name, Type.FLAG), at) for name, at in names])(bytes([0b10, 0b1]), values)
    assert values == {"switched_on": True, "level_percent": True}


@pytest.mark.parametrize(
    ("register", "value", "expected"),
    [
        (Register(Table.HOLDING, 32, Type.UINT16), 60, [60]),
        (Register(Table.HOLDING, 32, Type.UINT16, scale=0.1), 23.45, [234]),
        (Register(Table.HOLDING, 32, Type.INT16), -1, [0xFFFF]),
        (Register(Table.HOLDING, 32, Type.UINT16, order=Order.BADC), 0x1234, [0x3412]),
        (Register(Table.HOLDING, 32, Type.UINT32, order=Order.CDAB), 1, [1, 0]),
        (Register(Table.HOLDING, 32, Type.FLOAT32), 50, [0x4248, 0]),
        (Register(Table.HOLDING, 32, Type.UINT16), 65_536, None),
        (Register(Table.HOLDING, 32, Type.UINT16), -1, None),
        (Register(Table.HOLDING, 32, Type.FLOAT32), 1e300, None),
    ],
)
def test_encoding(register, value, expected):
    assert encode(register, value) == expected


@settings(deadline=None)
@given(
    st.sampled_from([Type.UINT16, Type.INT16, Type.UINT32, Type.INT32]),
    st.sampled_from(Order),
    st.sampled_from([0.001, 0.1, 1, 2, 0.25, -0.1]),
    st.sampled_from([0, -40.0, 0.5]),
    st.integers(-30_000, 30_000),
)
def test_what_is_encoded_decodes_to_the_same(kind, order, scale, offset, raw):
    one = RegisterField(Quantity("anything", ""), Register(Table.HOLDING, 0, kind, scale, offset, order))
    registers = encode(one.register, raw * scale + offset)
    if registers is None:
        assert raw < 0
        assert kind in (Type.UINT16, Type.UINT32)
        return
    value, quality = decode_one(one, struct.pack(f">{len(registers)}H", *registers))
    assert value == pytest.approx(raw * scale + offset, abs=1e-8)
    assert quality == 0


@settings(deadline=None)
@given(st.binary(min_size=4, max_size=4), st.sampled_from(Type), st.sampled_from(Order))
def test_no_register_contents_break_the_decoder(answer, kind, order):
    name = "switched_on" if kind is Type.FLAG else "energy_kwh"
    value, quality = decode_one(field(name, kind, order=order, scale=1), answer[: 2 * kind.registers])
    assert value is None or 0 <= value <= 1e9
    assert quality in (0, Quality.OUT_OF_RANGE)
