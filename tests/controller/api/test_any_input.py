from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.controller.api.world import LAMPS, World

TEXT = st.text(max_size=30)
QUERIES = st.dictionaries(
    st.sampled_from(
        [
            "kind",
            "gateway",
            "prefix",
            "state",
            "text",
            "limit",
            "offset",
            "start",
            "end",
            "window",
            "quantities",
            "aggregate",
            "before",
            "device",
            "past",
            "surprise",
        ]
    ),
    st.one_of(TEXT, st.integers(-(2**70), 2**70).map(str), st.sampled_from(["lamp", "on", "gw-1", "", "NaN", "1e9"])),
    max_size=4,
)
PATHS = st.sampled_from(
    ["/devices", "/devices/lamp-01-001/history", "/latest", "/commands", "/gateways", "/dead-letters", "/alarms"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, query=QUERIES)
async def test_no_query_is_ever_our_fault(world: World, path: str, query: dict[str, str]):
    answer = await world.client.get(f"/api/v1{path}", params=query, headers=world.bearer("reader"))
    assert answer.status_code in {200, 422}, answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    change=st.dictionaries(
        st.sampled_from(["op", "devices", "where", "gateways", "args", "reason", "approvals", "expires_s", "x"]),
        JSON,
        max_size=3,
    )
)
async def test_no_body_is_ever_our_fault(world: World, change: dict[str, object]):
    body = {"op": "light.resume", "devices": LAMPS[:1], "reason": "test"} | change
    answer = await world.client.post("/api/v1/commands", json=body, headers=world.bearer("operator"))
    assert answer.status_code in {202, 409, 422}, answer.text
