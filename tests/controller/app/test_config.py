"""Configuration: every mistake at once, with file, key, value and what is expected."""

from pathlib import Path

import pytest

from lamplighter_controller.config import ConfigWrong, read_config

EXAMPLE = Path(__file__).parents[3] / "config/controller/example.yaml"


def write(folder: Path, text: str) -> Path:
    path = folder / "controller.yaml"
    path.write_text(text)
    return path


def problems(path: Path, **environment: str) -> str:
    with pytest.raises(ConfigWrong) as told:
        read_config(path, environment)
    return "\n".join(told.value.problems)


def test_the_example_is_right() -> None:
    config = read_config(EXAMPLE, {})
    assert config.controller == "centre-1"
    assert config.ledger_url.startswith("sqlite:///")
    assert config.series_settings().url.startswith("duckdb:////")
    assert config.data == EXAMPLE.parent / "../../run/centre-1"


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    told = problems(
        write(
            tmp_path,
            """
controller: Centre 1
colour: red
ledger: mysql://x
series: {url: "ftp://x", raw_days: many}
broker: {port: 99999, tls: {ca: missing.pem}}
http: {certificate: controller.yaml}
city: {zone: Mars/Base}
""",
        )
    )
    for words in (
        "controller is 'Centre 1'",
        "data is missing",
        "colour is no key",
        "ledger is 'mysql://x'",
        "series.raw_days is 'many'",
        "broker.port is '99999'",
        "broker.tls.ca is",
        "http: expected certificate and key together",
        "city.zone is 'Mars/Base'",
    ):
        assert words in told
    assert told.count(str(tmp_path / "controller.yaml")) >= 9


def test_the_series_url_is_checked(tmp_path: Path) -> None:
    assert "expected duckdb:" in problems(write(tmp_path, "controller: c\ndata: d\nseries: {url: 'ftp://x'}"))


@pytest.mark.parametrize("text", ["", "- a", "{", "controller: [", "\x00"])
def test_what_is_no_configuration_is_told_so(tmp_path: Path, text: str) -> None:
    assert str(tmp_path) in problems(write(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in problems(tmp_path / "nothing.yaml")


def test_the_environment_overrules_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "controller: c\ndata: d\nbroker: {host: a, port: 1}")
    config = read_config(
        path,
        {
            "LAMPLIGHTER_CONTROLLER_BROKER__PORT": "1884",
            "LAMPLIGHTER_CONTROLLER_ENROLLED": "[gw-1, gw-2]",
            "LAMPLIGHTER_CONTROLLER_HTTP__HOST": "::1",
            "LAMPLIGHTER_CONTROLLER_DEMO": "true",
            "OTHER": "x",
        },
    )
    assert (config.broker.host, config.broker.port, config.http.host) == ("a", 1884, "::1")
    assert config.enrolled == ("gw-1", "gw-2")
    assert config.demo
    assert "broker.hots is no key" in problems(path, LAMPLIGHTER_CONTROLLER_BROKER__HOTS="x")


def test_a_mistake_beside_others_in_its_section_is_told_too(tmp_path: Path) -> None:
    told = problems(write(tmp_path, "controller: a\ndata: d\nseries: {url: 'ftp://x', raw_days: -3, timeout_s: 0}\n"))
    assert "series.url is 'ftp://x'" in told
    assert "series.raw_days is '-3': Input should be greater than or equal to 2" in told
    assert "series.timeout_s" in told


def test_a_mistake_of_the_environment_is_laid_at_its_variable(tmp_path: Path) -> None:
    path = write(tmp_path, "controller: a\ndata: d\nhttp: {port: 70000}\n")
    told = problems(path, LAMPLIGHTER_CONTROLLER_HTTP__PROT="1", LAMPLIGHTER_CONTROLLER_BROKER__PORT="x")
    assert "environment's LAMPLIGHTER_CONTROLLER_HTTP__PROT: http.prot is no key" in told
    assert "environment's LAMPLIGHTER_CONTROLLER_BROKER__PORT: broker.port is 'x'" in told
    assert f"{path}: http.port is '70000'" in told
