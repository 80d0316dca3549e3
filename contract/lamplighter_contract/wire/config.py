"""The config document: what the centre has a gateway serve, signed; a gateway takes it only where its own file says so.

Its parts are those of the gateway's file and are judged by the gateway as that file is, all mistakes at once.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.limits import MAX_COUNT
from lamplighter_contract.wire.version import WIRE_VERSION

PARTS: Final = ("report", "light", "trucks", "buses", "devices")


class ConfigDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content of `down/<gateway>/config`; `version` rises, `profiles` by name."""

    gateway: str
    version: Annotated[int, msgspec.Meta(gt=0, lt=MAX_COUNT)]
    buses: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=1_000)]
    devices: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=10_000)]
    profiles: Annotated[dict[str, dict[str, Any]], msgspec.Meta(max_length=200)] = {}
    report: dict[str, Any] | None = None
    light: dict[str, Any] | None = None
    trucks: dict[str, Any] | None = None
    v: int = WIRE_VERSION

    def as_json(self) -> dict[str, Any]:
        """The document as plain JSON values, ready to be signed."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {**plain, "v": self.v}


def read_config(document: Mapping[str, Any]) -> ConfigDocument | Refusal:
    """A typed config document from the raw object (its signature already checked)."""
    if document.get("v") != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {str(document.get('v'))[:20]}")
    try:
        return msgspec.convert(document, ConfigDocument)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, f"config: {error}")
