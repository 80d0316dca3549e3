"""The ledger's file over versions of this program."""

from contextlib import closing

from lamplighter_contract.level import Override
from lamplighter_gateway.commands.ledger import APPLICATION_ID, SCHEMA, UPGRADES, Change, Ledger
from lamplighter_gateway.disk import open_database


def opened(path):
    return Ledger(open_database(path, APPLICATION_ID, SCHEMA, 0, UPGRADES).connection)


def test_a_file_of_the_first_version_is_brought_on_with_its_overrides(tmp_path):
    path = tmp_path / "desired.db"
    with closing(open_database(path, APPLICATION_ID, SCHEMA, 0).connection) as connection:
        connection.execute("INSERT INTO override VALUES ('a', 'lamp-1', 7, 1000, 30, 5000)")
    for _ in range(2):  # the second time there is nothing left to bring on
        with closing(opened(path)) as ledger:
            assert ledger.memory().overrides == [Override("a", 7, 1000, "lamp-1", 30, 5000)]


def test_emergencies_and_resumes_come_back_as_they_went(tmp_path):
    emergency = Override("e", 7, 1000, "lamp-1", 100, 5000, emergency=True)
    plain = Override("p", 8, 2000, "lamp-1", 30, 5000)
    with closing(opened(tmp_path / "desired.db")) as ledger:
        ledger.want(Change(overrides=(emergency,)), 7)
        ledger.want(Change(overrides=(plain,)), 8)
        ledger.want(Change(resumed=("lamp-2",)), 9)
        ledger.want(Change(resumed=("lamp-2",)), 5)
    with closing(opened(tmp_path / "desired.db")) as ledger:
        memory = ledger.memory()
        assert memory.overrides == [emergency, plain]
        assert memory.resumed == {"lamp-2": 9}


def test_a_plan_replaces_overrides_in_the_same_moment(tmp_path):
    kept = Override("k", 9, 3000, "lamp-2", 50, 5000)
    with closing(opened(tmp_path / "desired.db")) as ledger:
        ledger.want(Change(overrides=(Override("a", 7, 1000, "lamp-1", 30, 5000),)), 7)
        ledger.keep_plan("plan", b"{}", [kept])
        assert ledger.memory().overrides == [kept]
        assert ledger.get("plan") == b"{}"
