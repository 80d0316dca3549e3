"""What is asked and answered about levels by hand."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS, LATEST_TIME_MS, MAX_OVERRIDE_MS
from lamplighter_controller.api.resources.commands import Reason500
from lamplighter_controller.lighting.overrides.store import AskState

LONGEST_S: Final = MAX_OVERRIDE_MS // 1000
MOST_NAMES: Final = 50_000
LAMPS_SHOWN: Final = 5_000

Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=MOST_NAMES)]
Corner = Annotated[tuple[float, float], Field(description="Longitude, latitude in WGS-84")]
Ring = Annotated[list[Corner], Field(max_length=2_000)]


class Area(BaseModel):
    """A GeoJSON polygon (RFC 7946): WGS-84, longitude first, each ring closed; rings after the first are holes."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["Polygon"]
    coordinates: list[Ring] = Field(max_length=64)


class OverrideIn(BaseModel):
    """A level for everyone who is named in any way, until its end; an emergency is full light and wins over all."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"lamps": ["lamp-01-017"], "level_percent": 60, "for_s": 3600, "reason": "WO-0007 test"},
                {
                    "area": {
                        "type": "Polygon",
                        "coordinates": [[[117.0, 36.6], [117.2, 36.6], [117.2, 36.7], [117.0, 36.7], [117.0, 36.6]]],
                    },
                    "emergency": True,
                    "for_s": 7200,
                    "reason": "accident, police ask for light",
                },
            ]
        },
    )

    lamps: Names = []
    groups: Names = Field(default=[], description="Of the inventory, static or by rule")
    roads: Names = []
    districts: Names = []
    area: Area | None = None
    level_percent: float | None = Field(
        default=None, allow_inf_nan=False, description="0 to 100; not needed in an emergency"
    )
    until: int | None = Field(
        default=None,
        ge=EARLIEST_TIME_MS,
        lt=LATEST_TIME_MS,
        description="Civil epoch ms, at most 12 h from now; without it and `for_s` 2 h from now",
    )
    for_s: float | None = Field(
        default=None, ge=1, lt=LATEST_TIME_MS, description=f"Civil seconds from now, for `until`; at most {LONGEST_S}"
    )
    emergency: bool = Field(default=False, description="Full light above every other wish; needs an end, one person")
    reason: Reason500

    @model_validator(mode="after")
    def _one_meaning(self) -> "OverrideIn":
        if self.until is not None and self.for_s is not None:
            raise ValueError("give until or for_s, not both")
        if self.level_percent is None and not self.emergency:
            raise ValueError("level_percent is needed unless it is an emergency")
        if not (self.lamps or self.groups or self.roads or self.districts or self.area):
            raise ValueError("name somebody: lamps, groups, roads, districts or an area")
        return self


class OverrideOut(BaseModel):
    """A level by hand: who, what, whom, until when, and where it stands."""

    id: str
    state: AskState = Field(description="pending: waits for a second person; given: it is a command")
    in_force: bool = Field(description="Gateways have taken it, or may have, and it has not ended")
    level_percent: float
    emergency: bool
    until_ms: int = Field(description="Civil epoch ms")
    by: str
    reason: str
    needs_approval: list[str] = Field(description="Why a second person has to approve; empty = nobody had to")
    approvals: list[str]
    created_ms: int = Field(description="Real epoch ms")
    expires_ms: int | None = Field(description="Real epoch ms until which it waits; null = it does not")
    lamps: int = Field(description="How many it was for when it was taken")
    lamps_in_force: int
    request: str | None = Field(description="The request it became; see /commands")


class ReadBack(BaseModel):
    """One lamp of an override, by what was read back from it."""

    lamp: str
    gateway: str
    state: CommandState
    verified: bool
    reason: str


class OverrideFull(OverrideOut):
    """With its lamps, those that were not verified first."""

    states: dict[CommandState, int]
    verified: int
    not_verified: int
    read_back: list[ReadBack] = Field(description=f"The first {LAMPS_SHOWN}")


class Overrides(BaseModel):
    """Those that wait for a second person, then those in force, the newest first."""

    items: list[OverrideOut]


class Past(BaseModel):
    """All that was ever asked for, the newest first."""

    items: list[OverrideOut]
    next_before: str | None = Field(description="Ask with before=… for older ones")


class Resumed(BaseModel):
    """What became of it."""

    id: str
    state: AskState
    request: str | None = Field(description="The command that takes lamps back to plan; null = no lamp moves")
