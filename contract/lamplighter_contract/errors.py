"""Broken promises and refusals of the contract.

What arrives from outside and cannot be understood is a `Refusal` (a value); what our own code must never do raises a
`ContractError`.
"""

from dataclasses import dataclass
from enum import StrEnum


class ContractError(Exception):
    """Root of every exception this package raises: our own side broke a promise."""


class Reason(StrEnum):
    """Why something from outside was refused; the word stands in counters, audit rows and on screens."""

    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    VERSION = "version"
    UNKNOWN_KIND = "unknown-kind"
    UNKNOWN_DEVICE = "unknown-device"
    UNKNOWN_QUANTITY = "unknown-quantity"
    WRONG_TYPE = "wrong-type"
    OUT_OF_BOUNDS = "out-of-bounds"
    ABSURD_TIME = "absurd-time"
    LENGTH = "length"
    SIGNATURE = "signature"
    KEY = "key"
    ADDRESS = "address"
    EXPIRED = "expired"
    TOO_LONG = "too-long"
    REPLAYED = "replayed"
    SEQUENCE = "sequence"
    SUPERSEDED = "superseded"
    RETAINED = "retained"
    OPERATION = "operation"
    ARGUMENT = "argument"
    CLOCK = "clock"
    LOCKED = "locked"
    ISOLATED = "isolated"
    PLAN_VERSION = "plan-version"
    UNKNOWN_GATEWAY = "unknown-gateway"
    EPOCH = "epoch"
    CAPACITY = "capacity"
    REPEATED = "repeated"
    VIEW_ONLY = "view-only"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something from outside that was not taken, and why, in words for a person."""

    reason: Reason
    detail: str
