"""People: made by an administrator, in with a password and a code of their own, out when they are ended."""

import asyncio
import time
from collections.abc import Mapping

import pyotp
import pytest

from lamplighter_controller.api.guard import COOKIE
from lamplighter_controller.security import audit
from lamplighter_controller.security.accounts.desk import AccountDesk, Login
from lamplighter_controller.security.accounts.throttle import TRIES_A_MINUTE, TRIES_OF_AN_ADDRESS
from tests.controller.api.people import ORIGIN
from tests.controller.api.world import World

PASSWORD = "nine green lamps by the river"
WHY = {"reason": "test"}
OPERATOR = {"name": "wang", "grants": [{"role": "lighting-operator"}], **WHY}
VIEWER = {"name": "li", "grants": [{"role": "viewer"}], **WHY}


async def login(world: World, name: str, password: str, code: str = ""):
    body = {"name": name, "password": password, "code": code}
    return await world.client.post("/api/v1/session/login", json=body)


async def own(world: World, method: str, path: str, body: object = None):
    return await world.client.request(method, f"/api/v1{path}", json=body, headers=ORIGIN)


async def made(world: World, wanted: Mapping[str, object]) -> str:
    answer = await world.send("POST", "/accounts", wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["password"])


async def ready(world: World, wanted: Mapping[str, object]) -> pyotp.TOTP | None:
    """An account with a password of its own, and a code where its role asks for one."""
    name = str(wanted["name"])
    first = await made(world, wanted)
    entered = await login(world, name, first)
    assert (await own(world, "POST", "/session/password", {"old": first, "new": PASSWORD})).status_code == 204
    if entered.json()["lacks"] == ["password"]:
        return None
    secret = (await own(world, "POST", "/session/code")).json()["secret"]
    totp = pyotp.TOTP(secret)
    now = {"code": totp.at(world.clock.wall_ms() // 1000)}
    assert (await own(world, "PUT", "/session/code", now)).status_code == 204
    world.clock.advance(61)
    return totp


async def test_a_person_sets_password_and_code_before_anything_else(world: World):
    first = await made(world, OPERATOR)
    entered = await login(world, "wang", first)
    assert entered.json() == {
        "name": "wang",
        "rights": [],
        "roles": ["lighting-operator"],
        "lacks": ["password", "code"],
    }
    assert "HttpOnly" in entered.headers["set-cookie"]
    refused = await own(world, "GET", "/plans")
    assert (refused.status_code, "password and code" in refused.json()["detail"]) == (403, True)
    assert (await own(world, "POST", "/session/password", {"old": first, "new": PASSWORD})).status_code == 204
    assert (await own(world, "GET", "/plans")).status_code == 403
    begun = (await own(world, "POST", "/session/code")).json()
    assert begun["address"].startswith("otpauth://totp/centre:wang?secret=")
    totp = pyotp.TOTP(begun["secret"])
    assert (await own(world, "PUT", "/session/code", {"code": "000000"})).status_code == 422
    code = {"code": totp.at(world.clock.wall_ms() // 1000)}
    assert (await own(world, "PUT", "/session/code", code)).status_code == 204
    assert (await own(world, "GET", "/plans")).status_code == 200
    body = {"op": "light.resume", "devices": ["lamp-01-001"], "reason": "test"}
    assert (await own(world, "POST", "/commands", body)).json()["by"] == "user:wang"


async def test_a_login_takes_the_code_and_takes_it_once(world: World):
    totp = await ready(world, OPERATOR)
    assert totp is not None
    code = totp.at(world.clock.wall_ms() // 1000)
    assert (await login(world, "wang", PASSWORD)).status_code == 401
    assert (await login(world, "wang", PASSWORD, "123456")).status_code == 401
    assert (await login(world, "wang", PASSWORD, code)).status_code == 200
    assert (await login(world, "wang", PASSWORD, code)).status_code == 401
    world.clock.advance(30)
    assert (await login(world, "wang", PASSWORD, totp.at(world.clock.wall_ms() // 1000))).status_code == 200


async def test_nothing_tells_what_was_wrong(world: World):
    await ready(world, VIEWER)
    wrong = [await login(world, "li", "no"), await login(world, "nobody", PASSWORD), await login(world, "li", "x", "1")]
    assert {answer.text for answer in wrong} == {wrong[0].text}
    assert {answer.status_code for answer in wrong} == {401}


async def test_an_unknown_name_takes_as_long_as_a_known_one(world: World):
    await ready(world, VIEWER)
    desk: AccountDesk = world.app.state.accounts
    spent: dict[str, float] = {}
    for name in ("li", "nobody"):
        before, begun_s = desk.passwords.hashed, time.process_time()
        for _ in range(5):
            await login(world, name, "wrong")
        spent[name] = time.process_time() - begun_s
        assert desk.passwords.hashed - before == 5
    assert spent["nobody"] == pytest.approx(spent["li"], rel=0.5)


async def test_a_flood_of_tries_costs_few_hashes_and_locks_out_nobody_else(world: World):
    await ready(world, VIEWER)
    desk: AccountDesk = world.app.state.accounts
    before = desk.passwords.hashed
    answers = [await login(world, "li", f"guess {n}") for n in range(300)]
    assert desk.passwords.hashed - before <= TRIES_A_MINUTE
    assert [answer.status_code for answer in answers].count(429) >= 300 - TRIES_A_MINUTE
    assert int(answers[-1].headers["retry-after"]) in range(1, 61)
    unknown = [await login(world, f"n-{n}", "x") for n in range(50)]
    assert desk.passwords.hashed - before <= TRIES_OF_AN_ADDRESS
    assert unknown[-1].text == answers[-1].text
    elsewhere = await desk.login(Login("li", PASSWORD, "", "10.9.9.9"))
    assert elsewhere is not None
    world.clock.advance(61)
    assert (await login(world, "li", PASSWORD)).status_code == 200


async def test_two_logins_with_one_code_are_one(world: World):
    totp = await ready(world, OPERATOR)
    assert totp is not None
    code = totp.at(world.clock.wall_ms() // 1000)
    both = await asyncio.gather(*(login(world, "wang", PASSWORD, code) for _ in range(2)))
    assert sorted(answer.status_code for answer in both) == [200, 401]


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaaaaaa", "my name is li, truly", "x" * 129])
async def test_a_weak_password_is_refused_with_why(world: World, new: str):
    first = await made(world, VIEWER)
    await login(world, "li", first)
    answer = await own(world, "POST", "/session/password", {"old": first, "new": new})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.new")


async def test_a_new_password_ends_the_other_sessions(world: World):
    await ready(world, VIEWER)
    await login(world, "li", PASSWORD)
    elsewhere = {"Cookie": f"{COOKIE}={world.client.cookies[COOKIE]}"}
    world.client.cookies.clear()
    await login(world, "li", PASSWORD)
    changed = {"old": PASSWORD, "new": PASSWORD + " again"}
    assert (await own(world, "POST", "/session/password", changed)).status_code == 204
    assert (await own(world, "GET", "/clock")).status_code == 200
    world.client.cookies.clear()
    assert (await world.client.get("/api/v1/clock", headers=elsewhere)).status_code == 401


async def test_an_account_that_is_ended_is_out_at_once_and_its_name_stays_taken(world: World):
    await ready(world, VIEWER)
    await login(world, "li", PASSWORD)
    assert (await own(world, "GET", "/clock")).status_code == 200
    assert (await world.send("DELETE", "/accounts/li", WHY)).status_code == 204
    assert (await own(world, "GET", "/clock")).status_code == 401
    world.client.cookies.clear()
    assert (await login(world, "li", PASSWORD)).status_code == 401
    assert (await world.send("POST", "/accounts", VIEWER)).status_code == 409
    assert (await world.send("DELETE", "/accounts/li", WHY)).status_code == 404


async def test_other_roles_hold_in_open_sessions(world: World):
    await ready(world, VIEWER)
    await login(world, "li", PASSWORD)
    assert (await own(world, "GET", "/plans")).status_code == 200
    grants = {"grants": [{"role": "company-dispatcher", "companies": ["red"]}], **WHY}
    assert (await world.send("PUT", "/accounts/li/grants", grants)).json()["grants"] == [
        {"role": "company-dispatcher", "companies": ["red"], "areas": None}
    ]
    assert (await own(world, "GET", "/plans")).status_code == 403


async def test_a_reset_takes_password_code_and_sessions(world: World):
    await ready(world, OPERATOR)
    answer = await world.send("POST", "/accounts/wang/reset", WHY)
    assert (await own(world, "GET", "/clock")).status_code == 401
    world.client.cookies.clear()
    entered = await login(world, "wang", answer.json()["password"])
    assert entered.json()["lacks"] == ["password", "code"]


@pytest.mark.parametrize(
    "grants",
    [
        [],
        [{"role": "king"}],
        [{"role": "company-dispatcher"}],
        [{"role": "lighting-operator", "companies": ["red"]}],
        [{"role": "viewer", "companies": []}],
        [{"role": "viewer", "companies": ["red"], "areas": ["gw-1"]}],
        [{"role": "viewer", "more": 1}],
    ],
)
async def test_impossible_grants_are_refused(world: World, grants):
    answer = await world.send("POST", "/accounts", {"name": "wu", "grants": grants, **WHY})
    assert (answer.status_code, answer.json()["errors"][0]["field"].startswith("body.grants")) == (422, True)


async def test_an_administrator_changes_others_only(world: World):
    await ready(world, {"name": "root", "grants": [{"role": "administrator"}], **WHY})
    body = {"grants": [{"role": "administrator"}, {"role": "lighting-operator"}], **WHY}
    assert (await own(world, "PUT", "/accounts/root/grants", body)).status_code == 409
    assert (await own(world, "POST", "/accounts", VIEWER)).status_code == 201
    token = {"name": "backdoor", "rights": ["command"], **WHY}
    refused = await own(world, "POST", "/tokens", token)
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, "not-yours")


async def test_what_was_tried_and_refused_stands_in_the_trail(world: World):
    await ready(world, VIEWER)
    await login(world, "li", "wrong")
    await login(world, "a password typed as a name", "wrong")
    await world.client.get("/api/v1/clock", headers={"Authorization": "Bearer x.y"})
    await world.send("POST", "/controller/backup", name="operator")
    await world.send("POST", "/accounts", {"name": "UPPER"})
    found = [one.entry for one in await world.ledger.read(audit.newest) if one.entry.action == "refused"]
    assert {(one.who, one.subject, one.reason) for one in found} >= {
        ("user:li", "POST /session/login", "unauthorized"),
        ("nobody", "POST /session/login", "unauthorized"),
        ("nobody", "GET /clock", "unauthorized"),
        ("token:operator", "POST /controller/backup", "forbidden"),
        ("token:admin", "POST /accounts", "validation"),
    }
    assert "typed as a name" not in str(found)
    assert all(one.detail["address"] for one in found)


async def test_a_token_has_no_password(world: World):
    for method, path, body in (
        ("POST", "/session/password", {"old": "x", "new": PASSWORD}),
        ("POST", "/session/code", None),
        ("PUT", "/session/code", {"code": "123456"}),
    ):
        assert (await world.send(method, path, body, name="reader")).status_code == 409


async def test_no_secret_is_shown_or_kept_in_clear(world: World, tmp_path):
    totp = await ready(world, OPERATOR)
    assert totp is not None
    shown = (await world.get("/accounts", name="admin")).text
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("ledger.sqlite*"))
    for secret in (PASSWORD, totp.secret, world.client.cookies[COOKIE]):
        assert secret not in shown
        assert secret.encode() not in kept
