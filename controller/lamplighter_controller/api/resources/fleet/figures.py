"""Figures of companies."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import BaseModel, Field

from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.problems import refused
from lamplighter_controller.api.resources.history import Time
from lamplighter_controller.api.services import Provided
from lamplighter_controller.fleet.figures import records
from lamplighter_controller.fleet.figures.companies import Over

router = APIRouter(prefix="/fleet", tags=["fleet"])

LONGEST_MS: Final = 366 * 24 * 3_600_000


class CompanyFigures(BaseModel):
    """One company over a time; null where there is nothing to divide by."""

    company: str = Field(examples=["red-haulage"])
    trucks: int
    online_rate: float | None = Field(description="Truck-days on which one was heard, of all", examples=[0.97])
    violations: int
    per_truck_day: float | None = Field(description="Violations per truck and day", examples=[0.4])
    acted_rate: float | None = Field(description="Share that led to a word, a limit or a person's step")
    invalid_rate: float | None = Field(description="Share of reviewed ones that were none")
    limited_h: float = Field(description="Hours under a limit of ours")
    waybills: int
    closure_rate: float | None = Field(description="Waybills whose load arrived where the permit says")
    repeat_offenders: list[tuple[str, int]] = Field(description="Trucks with three violations or more, and how many")


@router.get("/figures", name="figures", summary="Figures of each company")
async def figures(services: Provided, caller: Reader, start: Time, end: Time) -> list[CompanyFigures]:
    """Online rate, violations and what followed, time under limits, closed waybills, repeat offenders."""
    if not 0 < end - start <= LONGEST_MS:
        raise refused("query.end", "span", "end must come after start, and at most a year after.")
    zone, clock = ZoneInfo(services.city.zone), services.clock
    first, last = (f"{datetime.fromtimestamp(at / 1000, zone):%Y-%m-%d}" for at in (start, end - 1))
    days = (datetime.fromisoformat(last) - datetime.fromisoformat(first)).days + 1
    over = Over(start, end, days, clock.civil_ms() - clock.wall_ms())
    found = await services.ledger.read(lambda ledger: records.of_companies(ledger, over, first, last))
    seen = [one for one in found if caller.scope.has_company(one.company)]
    return [CompanyFigures(**{name: getattr(one, name) for name in CompanyFigures.model_fields}) for one in seen]
