"""Tables of the fleet room; each of its folders keeps the queries of its own.

Civil epoch ms are `first_ms`, `last_ms`, `until_ms`, and times of trips and waybills; all others are real.
"""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from lamplighter_controller.ledger.tables import metadata

NAME: Final = String(64)

# Companies, drivers, trucks, places, sites and grounds, permits, policies: one shelf each, every version kept.
register_table: Final = Table(
    "fleet_register",
    metadata,
    Column("shelf", NAME, primary_key=True),
    Column("id", NAME, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)

past_table: Final = Table(
    "fleet_register_past",
    metadata,
    Column("shelf", NAME, primary_key=True),
    Column("id", NAME, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)

waybill_table: Final = Table(
    "fleet_waybill",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("truck", NAME, nullable=False),
    Column("company", NAME, nullable=False),
    Column("driver", NAME),
    Column("permit", NAME),
    Column("site", NAME, nullable=False),
    Column("ground", NAME, nullable=False),
    Column("volume_m3", Float),
    Column("loaded_ms", BigInteger, nullable=False),
    Column("loaded_latitude", Float),
    Column("loaded_longitude", Float),
    Column("unloaded_ms", BigInteger),
    Column("unloaded_latitude", Float),
    Column("unloaded_longitude", Float),
    Column("unloaded_at", NAME),
    Column("closed_by", Text),
    Column("source", NAME, nullable=False),
    Column("number", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("driver_told", Text, nullable=False),
    Index(None, "truck", "loaded_ms"),
    Index(None, "loaded_ms"),
)

card_table: Final = Table(
    "fleet_driver_card",
    metadata,
    Column("truck", NAME, primary_key=True),
    Column("time_ms", BigInteger, primary_key=True),
    Column("inserted", Boolean, nullable=False),
    Column("result", Integer),
    *(Column(name, Text, nullable=False) for name in ("name", "licence", "agency", "valid_until")),
)

trip_table: Final = Table(
    "fleet_trip",
    metadata,
    Column("truck", NAME, primary_key=True),
    Column("loaded_ms", BigInteger, primary_key=True),
    Column("site", NAME),
    Column("left_ms", BigInteger),
    Column("unloaded_ms", BigInteger),
    Column("ground", NAME),
    Index(None, "loaded_ms"),
)

violation_table: Final = Table(
    "fleet_violation",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("truck", NAME, nullable=False),
    Column("company", NAME, nullable=False),
    Column("class", NAME, nullable=False),
    Column("score", Float, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger),  # null while it goes on
    Column("times", Integer, nullable=False),  # episodes within the window in which equal ones are one
    Column("place", NAME),
    Column("place_version", Integer),
    Column("permit", NAME),
    Column("permit_version", Integer),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("evidence", Text, nullable=False),
    Column("rules", Integer, nullable=False),
    Column("late", Boolean, nullable=False),  # found by the second pass, over data that came late
    Column("acted", Boolean, nullable=False),  # a warning, a limit or a person followed from it
    Column("state", NAME, nullable=False),
    Column("found_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index(None, "truck", "first_ms"),
    Index(None, "state", "first_ms"),
    Index(None, "first_ms"),
)

violation_step_table: Final = Table(
    "fleet_violation_step",
    metadata,
    Column("violation", NAME, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", NAME, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

ask_table: Final = Table(
    "fleet_ask",
    metadata,
    Column("id", NAME, primary_key=True),
    *(
        Column(name, Text, nullable=False)
        for name in ("who", "trucks", "reason", "case_number", "grave", "approvals", "content")
    ),
    Column("key", Text),
    Column("what", NAME, nullable=False),
    Column("target", Float, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("violation", NAME),
    Column("policy", NAME),
    Column("state", NAME, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index(None, "state"),
    Index(None, "created_ms"),
)

limit_table: Final = Table(
    "fleet_limit",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("ask", NAME),  # null: somebody else's limit, shown and never fought
    Column("truck", NAME, nullable=False),
    Column("device", NAME, nullable=False),
    Column("what", NAME, nullable=False),
    Column("target", Float),
    Column("until_ms", BigInteger),
    Column("state", NAME, nullable=False),
    Column("detail", Text, nullable=False),
    Column("warned_ms", BigInteger),
    Column("request", NAME),
    Column("release_request", NAME),
    Column("created_ms", BigInteger, nullable=False),
    Column("sent_ms", BigInteger),
    Column("effective_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Index(None, "truck", "created_ms"),
    Index(None, "state"),
)

course_table: Final = Table(
    "fleet_course",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("policy", NAME, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("truck", NAME, nullable=False),
    Column("violation", NAME, nullable=False),
    Column("stage", NAME, nullable=False),
    Column("ask", NAME),
    Column("began_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index(None, "stage"),
    Index(None, "policy", "began_ms"),
)

trial_table: Final = Table(
    "fleet_policy_trial",
    metadata,
    Column("policy", NAME, primary_key=True),
    Column("policy_version", Integer, primary_key=True),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("trucks", Integer, nullable=False),
    Column("times", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    Column("tried_ms", BigInteger, nullable=False),
)

switch_table: Final = Table(
    "fleet_switch",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("thrown", Boolean, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

unlock_table: Final = Table(
    "fleet_unlock_key",
    metadata,
    Column("truck", NAME, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

day_table: Final = Table(
    "fleet_day",
    metadata,
    Column("truck", NAME, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("reports", Integer, nullable=False),
    Index(None, "day"),
)
