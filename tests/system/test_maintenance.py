"""From a leak to a proved repair through the running system, and the repair that did not help."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.system.world import ZONE
from tests.system.world_api import Api, eventually
from tests.system.world_diagnosis import WHY, Diagnosed

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]

NIGHT = datetime(2026, 1, 15, 18, 30, tzinfo=ZONE)
RATE = 240.0
POLL_S = 2.0
SETTLE_MIN = 16
TOLD_S = 90.0
STEPS = ["isolated", "tested", "grounded", "fenced", "insulation"]
SITE = {"latitude": 36.65, "longitude": 117.12, "accuracy_m": 6}
ON_SITE = {"confirmation": "insulation measured, nobody at it"}


@pytest.fixture(scope="module")
def street() -> Iterator[Diagnosed]:
    """Six lamps behind each of three breakers, one crew; a proof takes some readings."""
    sections = {"maintenance": {"settle_min": SETTLE_MIN}}
    with Diagnosed(NIGHT, rate=RATE, poll_s=POLL_S, lamps=18, sla_h=8, controller=sections) as street:
        street.world.api.ask("PUT", "/crews", json={**WHY, "crew": {"id": "east-1", "company": "red"}})
        yield street


def repaired(street: Diagnosed, circuit: str, *, mended: bool) -> str:
    """A leak from the first evidence to the crew that has restored the supply; the id of its order."""
    api, lamp = street.world.api, street.lamps_of(circuit)[1]
    street.world.city.fault("leak", lamp, 60)
    [order] = eventually(lambda: api.get("/orders", element=lamp)["items"], TOLD_S, "the leak has an order")
    name = str(order["id"])
    assert (order["class_id"], order["crew"], order["priority"]) == ("leak", "east-1", 5)
    eventually(lambda: street.isolation(circuit)[0] == "proposed", TOLD_S, "isolation is proposed")
    api.ask("POST", f"/incidents/{street.leak(circuit)['id']}/isolate", json=WHY)
    eventually(lambda: street.isolation(circuit)[0] == "open", TOLD_S, "open, read back")

    step(api, name, "take", crew="east-1")
    step(api, name, "depart")
    step(api, name, "arrive", **SITE)
    until_ms = api.civil_ms() + 8 * 3_600_000
    asked = api.ask("POST", f"/orders/{name}/lock", json={**WHY, "until_ms": until_ms})
    assert asked["devices"] == [circuit]
    eventually(lambda: lock_of(api, name)["confirmed"], TOLD_S, "the gateway has confirmed the lock")
    assert another_restores(street, circuit) == "rejected", "nobody but the holder closes it"
    api.ask("POST", f"/orders/{name}/safety", json={"steps": STEPS, "name": "李工"})
    if mended:
        street.world.city.mend()
    step(api, name, "finish", done="joint renewed")
    api.ask("POST", f"/orders/{name}/restore", json=ON_SITE)
    eventually(lambda: lock_of(api, name)["state"] == "released", TOLD_S, "the gateway has ended the lock")
    return name


def step(api: Api, order: str, action: str, **told: Any) -> Any:
    """A crew takes a step, and its phone repeats it three times."""
    key = {"Idempotency-Key": f"{order}-{action}"}
    answers = [api.ask("POST", f"/orders/{order}/steps/{action}", json=told, headers=key) for _ in range(3)]
    assert len({len(one["steps"]) for one in answers}) == 1
    return answers[0]


def lock_of(api: Api, order: str) -> Any:
    """The newest lock of an order."""
    return api.get(f"/orders/{order}")["locks"][-1]


def another_restores(street: Diagnosed, circuit: str) -> str:
    """What becomes of it when somebody who does not hold the lock wants to close a circuit."""
    wanted = {"name": f"other-{circuit}", "rights": ["read", "command"], **WHY}
    made = street.world.api.ask("POST", "/tokens", json=wanted)
    other = Api(street.world.controller.url, made["token"])
    try:
        request = other.command("supply.restore", circuit, args=ON_SITE)["request"]
        return str(other.ended(request, TOLD_S)["state"])
    finally:
        other.close()


def test_a_leak_is_isolated_repaired_restored_and_proved_at_the_next_energised_night(street: Diagnosed) -> None:
    api = street.world.api
    name = repaired(street, "circuit-01-a", mended=True)
    eventually(lambda: api.get(f"/orders/{name}")["state"] == "closed", TOLD_S, "proved and closed")
    order = api.get(f"/orders/{name}")
    assert (order["outcome"], order["proof"], order["timely"], order["returned"]) == ("proved", "telemetry", True, 0)
    assert order["proof_text"].startswith("leakage below 30 mA")
    released_ms = order["locks"][0]["released_ms"]
    assert order["proved_ms"] - released_ms >= SETTLE_MIN * 60_000, "nothing older than the restore proves it"
    assert [one["action"] for one in order["steps"]] == [
        *("open", "assign", "take", "depart", "arrive", "finish", "prove", "close")
    ]
    api.ask("POST", "/reports/2026-01", json=WHY)
    answer = api._http.get("/reports/2026-01", params={"form": "csv"})
    told = {one["figure"]: one for one in csv.DictReader(io.StringIO(answer.text)) if one["by"] == "all"}
    assert (told["closing"]["numerator"], told["closing"]["proof"]) == ("1", "telemetry 1")
    assert told["timely_repair"]["numerator"] == "1"
    listed = api._http.get("/reports/2026-01", params={"form": "orders-csv"}).text
    assert name in listed
    page = api._http.get("/reports/2026-01", params={"form": "html", "language": "zh"}).text
    assert name in page
    assert "处结率" in page


def test_a_repair_that_did_not_help_comes_back_with_the_evidence(street: Diagnosed) -> None:
    api = street.world.api
    name = repaired(street, "circuit-01-b", mended=False)
    eventually(lambda: api.get(f"/orders/{name}")["state"] == "returned", TOLD_S, "the leak is still there")
    order = api.get(f"/orders/{name}")
    assert (order["returned"], order["outcome"], order["proved_ms"]) == (1, None, None)
    assert "leakage of" in order["proof_text"]
    assert order["paused_ms"] > 0, "waiting for proof is not charged"
