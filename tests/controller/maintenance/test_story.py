"""From an incident to a proved repair over the API, and the one that did not help; commands and readings in memory."""

import json
from functools import partial

from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.diagnosis.findings import Finding
from lamplighter_controller.events import ElementReplaced, InventoryChanged
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.inventory import Model
from lamplighter_controller.maintenance.orders import records
from lamplighter_controller.security import audit
from tests.controller.api.world import LAMPS
from tests.controller.maintenance.yard import CIRCUIT, HOUR_MS, JPEG, STEPS, Yard

LEAKING = LAMPS[2]


async def test_a_leak_is_repaired_and_proved_at_the_next_energised_night(yard: Yard) -> None:
    incident = await yard.incident(LEAKING)
    await yard.look()
    [order] = await yard.orders()
    assert (order["class_id"], order["element"]["id"], order["state"]) == ("leak", LEAKING, "assigned")
    assert (order["road"], order["road_class"], order["district"], order["pole"]) == (
        "road-01",
        "main",
        "lixia",
        "p-002",
    )
    assert order["due_ms"] == incident.raised_ms + HOUR_MS
    name = order["id"]

    await yard.did(name, "take", crew="east-1")
    await yard.did(name, "depart")
    early = await yard.ask(f"/orders/{name}/lock", {"reason": "work", "until_ms": yard.now_ms + HOUR_MS})
    assert early.status_code == 409
    await yard.did(name, "arrive", latitude=36.65, longitude=117.12)
    await yard.look()
    assert (await yard.world.get(f"/incidents/{incident.id}")).json()["state"] == "in_work"

    await _lock_is_held_once_confirmed(yard, name)
    refused = await yard.step(name, "finish", done="insulation renewed")
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (409, "signature-needed")
    await yard.ask(f"/orders/{name}/safety", {"steps": STEPS[:3], "name": "李工"})
    assert (await yard.order(name))["unsigned"] == STEPS[3:]
    await yard.ask(f"/orders/{name}/safety", {"steps": STEPS[3:], "name": "李工"})
    yard.pass_civil(20)
    done = await yard.did(name, "finish", done="insulation renewed")
    assert (done["state"], done["timely"]) == ("done", True)
    yard.reads(LEAKING, [1, 10, 20, 31], desired_percent=100, leakage_ma=1.5, power_w=150)
    yard.pass_civil(40)
    await yard.look()
    assert (await yard.order(name))["state"] == "done", "what was read while it was locked proves nothing"

    await _lock_ends_once_confirmed(yard, name)
    yard.reads(LEAKING, [1, 10, 20, 31], desired_percent=100, leakage_ma=1.5, power_w=150)
    yard.pass_civil(15)
    await yard.look()
    assert (await yard.order(name))["state"] == "done"
    yard.pass_civil(25)
    await yard.look()
    proved = await yard.order(name)
    assert (proved["state"], proved["outcome"], proved["proof"]) == ("proved", "proved", "telemetry")
    assert "leakage below 30 mA: 4 readings" in proved["proof_text"]
    await yard.look()
    closed = await yard.order(name)
    assert (closed["state"], closed["timely"]) == ("closed", True)
    assert [one["action"] for one in closed["steps"]] == [
        *("open", "assign", "take", "depart", "arrive", "finish", "prove", "close")
    ]
    assert (await yard.world.get(f"/incidents/{incident.id}")).json()["state"] == "closed"
    audit = (await yard.world.get(f"/audit?subject=order:{name}&limit=100", "admin")).json()["items"]
    assert {"order.open", "order.prove", "lock.held", "lock.released", "order.safety-signed"} <= {
        one["action"] for one in audit
    }


async def _lock_is_held_once_confirmed(yard: Yard, name: str) -> None:
    asked = await yard.ask(f"/orders/{name}/lock", {"reason": "work", "until_ms": yard.now_ms + HOUR_MS})
    lock = asked.json()
    assert (lock["state"], lock["confirmed"], lock["devices"], lock["holder"]) == (
        "asked",
        False,
        [CIRCUIT],
        "token:operator",
    )
    [sent] = [one.request for one in yard.world.commands.taken.values()]
    assert (sent.op, dict(sent.args)) == ("device.lock", {"holder": "token:operator"})
    await yard.end_commands()
    assert (await yard.order(name))["locks"][0]["confirmed"], "shown as held only once the gateway has confirmed it"


async def _lock_ends_once_confirmed(yard: Yard, name: str) -> None:
    restored = await yard.ask(f"/orders/{name}/restore", {"confirmation": "insulation measured, nobody at it"})
    assert restored.json()["state"] == "releasing"
    await yard.look()
    assert (await yard.order(name))["locks"][0]["state"] == "releasing", "it holds until the gateway has said so"
    await yard.end_commands()
    assert (await yard.order(name))["locks"][0]["state"] == "released"


async def test_a_repair_that_did_not_help_is_sent_back_with_the_evidence(yard: Yard) -> None:
    await yard.incident(LEAKING)
    await yard.look()
    [order] = await yard.orders()
    name = order["id"]
    await yard.on_site(name)
    yard.pass_civil(10)
    await yard.did(name, "finish", done="dried")
    waited = 60
    yard.reads(LEAKING, [2, 12, 22], desired_percent=100, leakage_ma=58, power_w=150)
    yard.pass_civil(waited)
    await yard.look()
    back = await yard.order(name)
    assert (back["state"], back["returned"], back["outcome"]) == ("returned", 1, None)
    assert "leakage of" in back["proof_text"]
    assert back["paused_ms"] == waited * 60_000, "the crew is not charged with the wait for proof"
    assert back["due_ms"] == order["due_ms"] + waited * 60_000

    await yard.on_site(name)
    await yard.did(name, "finish", done="cable renewed")
    yard.pass_civil(1)
    yard.reads(LEAKING, [2, 12, 22, 40], desired_percent=100, leakage_ma=2, power_w=150)
    yard.pass_civil(60)
    await yard.look()
    assert (await yard.order(name))["state"] == "proved"


async def test_a_phone_that_repeats_everything_three_times_changes_nothing_twice(yard: Yard) -> None:
    """The same keys: one order, one of each step, one lock, one photo, one part out of the store."""
    await yard.world.send("PUT", "/parts", {"reason": "r", "part": {"id": "led-150", "kind": "lamp"}}, "operator")
    element = {"kind": "lamp", "id": LEAKING}

    async def thrice(path: str, body: object, key: str) -> object:
        answers = [await yard.ask(path, body, key) for _ in range(3)]
        assert {answer.status_code for answer in answers} <= {200, 201, 202}, [one.text for one in answers]
        first, *others = [answer.json() for answer in answers]
        assert all(one.get("id") == first.get("id") for one in others)
        return first

    await thrice("/parts/moves", {"reason": "bought", "part": "led-150", "quantity": 5, "batch": "b1"}, "k-0")
    opened = await thrice("/orders", {"reason": "seen", "element": element, "class_id": "leak", "severity": 5}, "k-1")
    assert isinstance(opened, dict)
    name = opened["id"]
    for number, (action, body) in enumerate(
        [("take", {"crew": "east-1"}), ("depart", {}), ("arrive", {"latitude": 36.6, "longitude": 117.1})]
    ):
        await thrice(f"/orders/{name}/steps/{action}", body, f"k-2{number}")
    await thrice(f"/orders/{name}/lock", {"reason": "work", "until_ms": yard.now_ms + HOUR_MS}, "k-3")
    await yard.end_commands()
    await thrice(f"/orders/{name}/safety", {"steps": STEPS, "name": "李工"}, "k-4")
    fitted = {"reason": "dead", "element": element, "part": "led-150", "batch": "b1", "serial": "s-1"}
    await thrice(f"/orders/{name}/parts", fitted, "k-5")
    for _ in range(3):
        answer = await yard.world.client.post(
            f"/api/v1/orders/{name}/photos",
            content=JPEG,
            headers=yard.world.bearer("operator") | {"Idempotency-Key": "k-6", "content-type": "image/jpeg"},
        )
        assert answer.status_code == 201, answer.text
    await thrice(f"/orders/{name}/steps/finish", {"done": "lamp changed"}, "k-7")
    await thrice(f"/orders/{name}/restore", {"confirmation": "nobody at it"}, "k-8")
    await yard.end_commands()
    order = await yard.order(name)
    assert [one["action"] for one in order["steps"]] == ["open", "assign", "take", "depart", "arrive", "finish"]
    assert [len(order[one]) for one in ("locks", "photos", "signatures", "parts")] == [1, 1, 1, 1]
    assert [one.request.op for one in yard.world.commands.taken.values()] == ["device.lock", "device.unlock"]
    [part] = (await yard.world.get("/parts")).json()["items"]
    assert part["in_store"] == 4
    other = await yard.ask(f"/orders/{name}/steps/not-ours", {"reason": "other"}, "k-7")
    assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "header.Idempotency-Key")


async def test_a_lock_that_outlasts_its_time_is_told_and_holds_and_a_refused_one_is_never_called_held(
    yard: Yard,
) -> None:
    opened = await yard.ask(
        "/orders", {"reason": "seen", "element": {"kind": "circuit", "id": CIRCUIT}, "class_id": "contactor_stuck_on"}
    )
    name = opened.json()["id"]
    await yard.did(name, "take", crew="east-1")
    await yard.did(name, "arrive", latitude=36.6, longitude=117.1)
    wish = {"reason": "work", "until_ms": yard.now_ms + HOUR_MS}
    await yard.ask(f"/orders/{name}/lock", wish)
    await yard.end_commands(CommandState.REJECTED, "clock")
    lock = (await yard.order(name))["locks"][0]
    assert (lock["state"], lock["confirmed"]) == ("refused", False)
    await yard.ask(f"/orders/{name}/lock", wish)
    await yard.end_commands()
    yard.pass_civil(24 * 60)
    await yard.look()
    lock = (await yard.order(name))["locks"][1]
    assert (lock["state"], lock["confirmed"], lock["overdue"]) == ("held", True, True)
    alarms = {one["key"] for one in (await yard.world.get("/alarms")).json()["items"]}
    assert f"lock-overdue-{name}" in alarms
    ours = await yard.step(name, "not-ours", reason="the utility's")
    assert ours.status_code == 409, "nobody walks away from a lock"


async def test_the_ledger_keeps_each_step_with_its_audit_row_or_neither(yard: Yard, monkeypatch) -> None:
    opened = await yard.ask(
        "/orders", {"reason": "seen", "element": {"kind": "lamp", "id": LEAKING}, "class_id": "leak"}
    )
    name = opened.json()["id"]

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no room for the audit row")

    monkeypatch.setattr(audit, "record", broken)
    answer = await yard.step(name, "take", crew="east-1")
    assert answer.status_code == 500
    steps = await yard.world.ledger.read(lambda connection: records.steps_of(connection, name))
    assert [one.action for one in steps] == ["open", "assign"]
    assert json.dumps((await yard.order(name))["accepted_ms"]) == "null"


async def test_what_mends_itself_before_anybody_arrives_takes_its_order_along_and_comes_back_as_another(
    yard: Yard,
) -> None:
    incident = await yard.incident(LEAKING)
    await yard.look()
    [first] = await yard.orders()
    over = Finding(incident.element, incident.alternatives, 0, 0, open=False)
    yard.pass_civil(5)
    await yard.world.services.diagnosis.acted([over], yard.now_ms)
    await yard.look()
    gone = await yard.order(first["id"])
    assert (gone["state"], gone["outcome"]) == ("cleared", "cleared")
    await yard.look()
    assert await yard.orders() == []
    yard.pass_civil(5)
    assert (await yard.incident(LEAKING)).id == incident.id
    await yard.look()
    [second] = await yard.orders()
    assert second["id"] != first["id"]


async def test_a_replaced_lamp_is_learned_anew_and_its_new_controller_and_model_are_in_the_inventory(
    yard: Yard,
) -> None:
    opened = await yard.ask("/orders", {"reason": "dark", "element": {"kind": "lamp", "id": LEAKING}, "class_id": "x"})
    name = opened.json()["id"]
    await yard.world.ledger.write(partial(inventory_store.put, things=[Model("led-90", 90.0)]))
    part = {"id": "led-90", "kind": "lamp", "model": "led-90", "warranty_days": 1_000}
    await yard.world.send("PUT", "/parts", {"reason": "r", "part": part}, "operator")
    await yard.ask("/parts/moves", {"reason": "bought", "part": "led-90", "quantity": 1})
    body = {"reason": "dead", "element": {"kind": "lamp", "id": LEAKING}, "part": "led-90", "new_device": "lamp-new"}
    taken = await yard.ask(f"/orders/{name}/parts", body | {"new_device": LAMPS[0]})
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "body.new_device")
    with yard.world.events.subscribe(ElementReplaced, InventoryChanged) as news:
        fitted = (await yard.ask(f"/orders/{name}/parts", body)).json()
    assert (fitted["old_device"], fitted["new_device"], fitted["pole"]) == (LEAKING, "lamp-new", "p-002")
    assert isinstance(news.queue.get_nowait(), InventoryChanged)
    lamps = (await yard.world.get("/luminaires?limit=20")).json()["items"]
    [lamp] = [one for one in lamps if one["id"] == "l-002"]
    assert (lamp["device"], lamp["model"]) == ("lamp-new", "led-90")
    assert (await yard.order(name))["element"]["id"] == "lamp-new", "the order goes on with its pole"
    [row] = (await yard.world.get("/parts/history?pole=p-002")).json()["items"]
    assert row["element"] == LEAKING
    steps = await yard.ask(
        f"/orders/{name}/parts", {**body, "element": {"kind": "lamp", "id": LAMPS[3]}, "new_device": ""}
    )
    assert steps.status_code == 409, "one was in store"


async def test_a_driver_put_in_is_told_to_all_rooms(yard: Yard) -> None:
    opened = await yard.ask("/orders", {"reason": "dark", "element": {"kind": "lamp", "id": LEAKING}, "class_id": "x"})
    await yard.world.send("PUT", "/parts", {"reason": "r", "part": {"id": "drv", "kind": "driver"}}, "operator")
    await yard.ask("/parts/moves", {"reason": "bought", "part": "drv", "quantity": 1})
    body = {"reason": "dead", "element": {"kind": "lamp", "id": LEAKING}, "part": "drv"}
    with yard.world.events.subscribe(ElementReplaced) as news:
        await yard.ask(f"/orders/{opened.json()['id']}/parts", body)
    told = news.queue.get_nowait()
    assert isinstance(told, ElementReplaced)
    assert told.elements == (("lamp", LEAKING),)
    await yard.look()
    assert news.queue.empty(), "once"
