import pytest

from lamplighter_gateway.change.starting import Start, start
from lamplighter_gateway.change.store import ConfigStore
from lamplighter_gateway.change.trial import Answers
from tests.gateway.change.site import Site as _Site
from tests.gateway.change.site import bus, tree


@pytest.fixture
def site(tmp_path, monkeypatch):
    return _Site(tmp_path, monkeypatch)


def prove(started):
    started.store.save(started.kept.proves(Answers(True, True)))


def test_the_first_file_is_run_and_is_on_trial(site):
    site.write(tree())
    started = site.start()
    assert not started.instead
    assert started.kept.trial.version == started.config.version
    assert started.kept.good is None


@pytest.mark.parametrize("spoilt", ["{", "gateway: [", "", tree(buses=[{"id": "east", "wire": "pigeon"}])])
def test_a_broken_file_does_not_stop_a_gateway_that_has_a_good_one(site, spoilt):
    site.write(tree())
    good = site.start()
    prove(good)
    site.write(spoilt)
    # An unreadable file does not even say where its data are: the service manager does.
    started = start(site.file, {"STATE_DIRECTORY": str(site.file.parent / "data")})
    assert isinstance(started, Start)
    assert started.config == good.config
    assert all("expected" in why for why in started.instead)
    assert started.instead


def test_a_broken_file_with_nothing_kept_is_told_with_every_mistake(site):
    site.write(tree(buses=[bus("east", 70_000)], uplink={"host": ""}))
    problems = start(site.file, {})
    assert not isinstance(problems, Start)
    assert {problem.key for problem in problems} >= {"buses[0].port", "uplink.host"}


def test_a_configuration_that_no_process_start_survives_is_taken_back(site):
    site.write(tree())
    good = site.start()
    prove(good)
    site.write(tree(spool={"max_mib": 7}))
    for _ in range(3):
        assert site.start().config.spool.max_mib == 7
    fourth = site.start()
    assert fourth.config == good.config
    assert "taken back" in fourth.instead[0]
    assert site.start().config == good.config
    site.write(tree(spool={"max_mib": 8}))
    assert site.start().config.spool.max_mib == 8, "another one is tried"


def test_a_spoilt_memory_of_configurations_is_no_reason_not_to_start(site):
    site.write(tree())
    prove(site.start())
    (site.file.parent / "data" / "config.json").write_bytes(b"{")
    assert site.start().kept.good is None


def test_a_full_disk_keeps_what_was_kept(site, monkeypatch):
    site.write(tree())
    store = ConfigStore(site.file.parent / "data")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lamplighter_gateway.change.store.write_durably", full)
    assert store.save(store.load()) is False


def test_where_the_centre_rules_the_file_says_nothing_of_buses(site):
    site.write(tree(config={"rules": "central"}))
    problems = start(site.file, {})
    assert not isinstance(problems, Start)
    assert {problem.key for problem in problems} == {"buses", "devices", "profiles"}
    assert all("config.rules is central" in problem.expected for problem in problems)
    site.write(tree(config={"rules": "central"}, buses=None, devices=None, profiles=None))
    started = site.start()
    assert (started.config.buses, started.config.number) == ((), 0)
