"""What faults do to lamps in one step: a column per way of going wrong, 0 or 1 where all is well."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.campaign.network import Network

Index = NDArray[np.int64]
Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

LAMP_FAILED, GEAR_SILENT, STRINGS_SHORTED, DERATED = 1, 2, 4, 8  # bits of `fault_bits`, of lamps with digital gear


@dataclass(slots=True)
class Moment:
    """When the lamps are looked at: own time of each, its applied level, whether told to be on."""

    time_ms: Index
    level: Array
    raining: bool
    rain_mm_h: float
    step_ms: int
    digital: Mask


@dataclass(slots=True)
class Effects:
    """Columns over lamps (N), feeders (F), cabinets (C)."""

    supplied: Mask  # N: the wire has voltage
    load: Array  # N: share of the power it should draw while lit
    held_level: Array  # N: the level its gear keeps, NaN = as told
    relay: NDArray[np.int8]  # N: 1 welded, -1 open
    unlit_w: Array  # N: draws this instead of burning, NaN = burns
    unlit_pf: Array  # N
    factor: Array  # N: its power factor over the usual
    extra_law: Array  # N: added dependence on voltage
    meter_zero: Mask  # N: the measuring chip tells nothing but zero
    meter_frozen: Mask  # N
    meter_gain: Array  # N: of power only, so that P no longer is V I PF
    mute: Mask  # N: its radio is silent
    leak_ma: Array  # N
    warm_c: Array  # N
    tilt_deg: Array  # N
    bits: NDArray[np.int64]  # N
    volts: Array  # N: added to the voltage it stands at
    span_ohm: Array  # P: added to the span before a pole
    tripped: Mask  # F
    welded: Mask  # F: contactor
    stolen_w: Array  # F: load nobody booked
    feeder_leak_ma: Array  # F
    phase_v: Array  # C,3: factor
    door: Mask  # C
    meter_mute: Mask  # C

    @classmethod
    def none(cls, network: Network) -> "Effects":
        """Everything well."""
        lamps, feeders, cabinets = len(network), network.feeders, network.size.cabinets
        ones, zeros = np.ones(lamps), np.zeros(lamps)
        no = np.zeros(lamps, np.bool_)
        return cls(
            supplied=~no,
            load=ones.copy(),
            held_level=np.full(lamps, np.nan),
            relay=np.zeros(lamps, np.int8),
            unlit_w=np.full(lamps, np.nan),
            unlit_pf=np.full(lamps, 0.35),
            factor=ones.copy(),
            extra_law=zeros.copy(),
            meter_zero=no.copy(),
            meter_frozen=no.copy(),
            meter_gain=ones.copy(),
            mute=no.copy(),
            leak_ma=zeros.copy(),
            warm_c=zeros.copy(),
            tilt_deg=zeros.copy(),
            bits=np.zeros(lamps, np.int64),
            volts=zeros.copy(),
            span_ohm=np.zeros(feeders * network.size.poles),
            tripped=np.zeros(feeders, np.bool_),
            welded=np.zeros(feeders, np.bool_),
            stolen_w=np.zeros(feeders),
            feeder_leak_ma=np.zeros(feeders),
            phase_v=np.ones((cabinets, 3)),
            door=np.zeros(cabinets, np.bool_),
            meter_mute=np.zeros(cabinets, np.bool_),
        )
