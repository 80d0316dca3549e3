"""The controller's configuration: one YAML file, then the environment; every mistake is told at once."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import ErrorDetails

from lamplighter_contract.clock import REAL_TIME, CivilScale, decode_scale
from lamplighter_contract.geo.box import Box
from lamplighter_contract.ids import is_id
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.ledger.databases import parse_url
from lamplighter_controller.ledger.errors import LedgerUnusable
from lamplighter_controller.series.settings import (
    MINIMUM_RAW_DAYS,
    Retention,
    SeriesSettings,
    SeriesSettingsError,
    duckdb_path,
    influx_address,
)

PREFIX: Final = "LAMPLIGHTER_CONTROLLER_"
MAX_FILE_BYTES: Final = 1_048_576


class ConfigWrong(ControllerError):
    """The configuration cannot be used; `problems` says where, what stands there, and what is expected."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


def _identity(text: str) -> str:
    if not is_id(text):
        raise ValueError("expected lower-case letters, digits and hyphens, at most 64")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("expected a time zone such as Asia/Shanghai") from error
    return text


def _beside(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path())
    return Path(folder, path)


def _file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("expected a file that is there")
    return path


def _ledger(url: str) -> str:
    try:
        parse_url(url)
    except LedgerUnusable as error:
        raise ValueError("expected sqlite:///<file> or postgresql://<user>@<host>/<database>") from error
    return url


def _series(url: str) -> str:
    if duckdb_path(url) is None:
        try:
            influx_address(url)
        except SeriesSettingsError as error:
            raise ValueError(str(error)) from error
    return url


LedgerUrl = Annotated[str, AfterValidator(_ledger)]
SeriesUrl = Annotated[str, AfterValidator(_series)]
Days = Annotated[int, Field(ge=MINIMUM_RAW_DAYS)]
Identity = Annotated[str, AfterValidator(_identity)]
Zone = Annotated[str, AfterValidator(_zone)]
Place = Annotated[Path, AfterValidator(_beside)]
File = Annotated[Place, AfterValidator(_file)]
Port = Annotated[int, Field(ge=1, le=65535)]
Severity = Annotated[int, Field(ge=1, le=5)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsConfig(_Section):
    """Certificates: `ca` signed the other side's, `certificate` and `key` are ours and go together."""

    ca: File
    certificate: File | None = None
    key: File | None = None

    @model_validator(mode="after")
    def _together(self) -> "TlsConfig":
        if (self.certificate is None) != (self.key is None):
            raise ValueError("expected certificate and key together, or neither")
        return self


class BrokerConfig(_Section):
    """The MQTT broker. `files`: where its password and ACL files are, which we keep; `pid_file`: of the broker."""

    host: str = "127.0.0.1"
    port: Port = 1883
    user: str | None = None
    password_file: File | None = None
    tls: TlsConfig | None = None
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    files: Place | None = None
    pid_file: Place | None = None


class SeriesConfig(_Section):
    """The time-series store; without a URL, a DuckDB file in the data folder."""

    url: SeriesUrl | None = None
    user: str = ""
    password_file: File | None = None
    token_file: File | None = None
    gzip: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    raw_days: Days = 30
    quarter_hour_days: Days = 400
    day_days: Days = 3660

    @model_validator(mode="after")
    def _usable(self) -> "SeriesConfig":
        try:
            Retention(self.raw_days, self.quarter_hour_days, self.day_days)
        except SeriesSettingsError as error:
            raise ValueError(str(error)) from error
        return self


class HttpConfig(_Section):
    """Where API and console are served; HTTPS when a certificate is given."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    certificate: File | None = None
    key: File | None = None

    @model_validator(mode="after")
    def _together(self) -> "HttpConfig":
        if (self.certificate is None) != (self.key is None):
            raise ValueError("expected certificate and key together, or neither")
        return self


class BoxConfig(_Section):
    """Where the city is, in degrees of WGS-84; an import with positions outside is refused."""

    south: Annotated[float, Field(ge=-90, le=90)]
    west: Annotated[float, Field(ge=-180, le=180)]
    north: Annotated[float, Field(ge=-90, le=90)]
    east: Annotated[float, Field(ge=-180, le=180)]

    @model_validator(mode="after")
    def _ordered(self) -> "BoxConfig":
        if self.south >= self.north or self.west >= self.east:
            raise ValueError("expected south below north and west below east")
        return self


class CityConfig(_Section):
    """The city as it is shown: its name by language, its time zone; and where it is."""

    name: dict[str, str] = {"en": "Sample city", "zh": "示例城市"}
    zone: Zone = "Asia/Shanghai"
    box: BoxConfig | None = None

    @property
    def where(self) -> Box | None:
        """The box that positions have to lie in, None when any will do."""
        return Box(**self.box.model_dump()) if self.box else None


class ProtectorConfig(_Section):
    """A residual-current device whose trip tests are to be kept; without a circuit it guards its whole cabinet."""

    id: Identity
    cabinet: Identity
    circuit: Identity | None = None


class FleetConfig(_Section):
    """How trucks are supervised. `lift_lock`: the platform may lock the lift; else that is the terminal's own work."""

    lift_lock: bool = False


class EvidenceConfig(_Section):
    """How much room evidence may take, and how many days files are kept after the last step of their violation.

    `driver_days`: who drove, on waybills. What is held or in process stays whatever these say.
    """

    max_gib: Annotated[float, Field(gt=0, le=100_000)] = 20.0
    candidate_days: Annotated[int, Field(ge=1)] = 90
    invalid_days: Annotated[int, Field(ge=1)] = 180
    closed_days: Annotated[int, Field(ge=1)] = 1_825
    driver_days: Annotated[int, Field(ge=1)] = 365


class DiagnosisConfig(_Section):
    """How faults are looked for, and what may be done about them without asking.

    `isolates`: cabinets whose leaking circuits are opened at once. `sla_hours` and `sla_working_days`: time to mend by
    severity. `tests_from_h`, `tests_until_h`: local hours in which a doubtful lamp may be tested; equal = never.
    `rain_signal`: the weather signal that says whether it rains, beside gauges among the devices.
    """

    step_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    reading_s: Annotated[float, Field(gt=0, le=86_400)] = 900.0
    checkpoint_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    dwell_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    isolates: tuple[Identity, ...] = ()
    protectors: tuple[ProtectorConfig, ...] = ()
    sla_hours: dict[Severity, Annotated[float, Field(gt=0)]] = {5: 1.0, 4: 24.0, 3: 24.0}
    sla_working_days: dict[Severity, Annotated[int, Field(gt=0)]] = {2: 3}
    holidays: tuple[date, ...] = ()
    tests_from_h: Annotated[float, Field(ge=0, le=24)] = 0.0
    tests_until_h: Annotated[float, Field(ge=0, le=24)] = 0.0
    rain_signal: Annotated[str, Field(min_length=1, max_length=64)] = "rain"


class ChannelConfig(_Section):
    """A way to tell people of orders; `url` of mail is `smtp://host:port` or `smtp+tls://host:port`.

    `level`: told from this escalation on, 0 when an order begins. In quiet hours only danger is told; SMS and calls are
    for danger alone, by a gateway that takes HTTP. `secret_file` signs what is sent; of mail it holds the password.
    """

    id: Identity
    way: Literal["webhook", "mail", "wecom", "dingtalk", "sms", "voice"]
    url: Annotated[str, Field(pattern=r"^(https?|smtp|smtp\+tls)://[^\s]+$", max_length=500)]
    secret_file: File | None = None
    user: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    crew: str = ""
    least_priority: Severity = 3
    level: Annotated[int, Field(ge=0, le=5)] = 0
    quiet_from_h: Annotated[float, Field(ge=0, le=24)] = 0.0
    quiet_until_h: Annotated[float, Field(ge=0, le=24)] = 0.0

    def secret(self) -> str:
        """What signs, or the password; empty without a file.

        Raises:
            OSError: its file cannot be read.
        """
        return _secret(self.secret_file)


class MaintenanceConfig(_Section):
    """How repairs are seen to; times to mend are those of `diagnosis`.

    `from_incidents`: what is worth a trip becomes an order by itself. `settle_min`: for how long what was repaired has
    to be energised and well, civil minutes. `escalate_min`: an order that nobody has taken for so long is told, danger
    five times as soon. `closes_itself`: an order whose repair is proved is closed by the rule.
    """

    from_incidents: bool = True
    settle_min: Annotated[float, Field(gt=0, le=1_440)] = 30.0
    escalate_min: Annotated[float, Field(gt=0, le=10_080)] = 30.0
    closes_itself: bool = True
    photos_gib: Annotated[float, Field(gt=0, le=100_000)] = 10.0
    channels: tuple[ChannelConfig, ...] = ()


class Config(_Section):
    """Everything the controller has to know; paths are relative to the file they stand in."""

    controller: Identity
    data: Place
    ledger: LedgerUrl | None = None
    series: SeriesConfig = SeriesConfig()
    broker: BrokerConfig = BrokerConfig()
    http: HttpConfig = HttpConfig()
    city: CityConfig = CityConfig()
    diagnosis: DiagnosisConfig = DiagnosisConfig()
    fleet: FleetConfig = FleetConfig()
    evidence: EvidenceConfig = EvidenceConfig()
    maintenance: MaintenanceConfig = MaintenanceConfig()
    clock: File | None = None
    keys: Place | None = None
    enrolled: tuple[Identity, ...] = ()
    demo: bool = False

    @property
    def ledger_url(self) -> str:
        """The ledger's URL; without one, an SQLite file in the data folder."""
        return self.ledger or f"sqlite:///{self.data / 'ledger.sqlite'}"

    @property
    def keys_folder(self) -> Path:
        """Where the signing key and the keys document are."""
        return self.keys or self.data / "keys"

    @property
    def control_socket(self) -> Path:
        """Where the command line reaches the running controller."""
        return self.data / "control.sock"

    def series_settings(self) -> SeriesSettings:
        """The series store's settings.

        Raises:
            OSError: a password or token file cannot be read.
        """
        series = self.series
        return SeriesSettings(
            url=series.url or f"duckdb:///{self.data / 'series.duckdb'}",
            username=series.user,
            password=_secret(series.password_file),
            token=_secret(series.token_file),
            gzip=series.gzip,
            timeout_s=series.timeout_s,
            retention=Retention(series.raw_days, series.quarter_hour_days, series.day_days),
        )

    def broker_password(self) -> str | None:
        """The broker's password.

        Raises:
            OSError: its file cannot be read.
        """
        return _secret(self.broker.password_file) if self.broker.password_file else None

    def scale(self) -> CivilScale:
        """How civil time follows real time.

        Raises:
            ConfigWrong: the clock file holds something else.
        """
        if self.clock is None:
            return REAL_TIME
        try:
            return decode_scale(self.clock.read_bytes())
        except (OSError, ValueError) as error:
            raise ConfigWrong([f"{self.clock}: {error}"]) from error


def read_config(path: Path, environment: Mapping[str, str]) -> Config:
    """Read the file, let `LAMPLIGHTER_CONTROLLER_<KEY>__<KEY>` variables overrule it, and check everything.

    Raises:
        ConfigWrong: with every problem there is.
    """
    content = _load(path)
    origins: dict[tuple[str, ...], str] = {}
    for name in sorted(environment):
        if name.startswith(PREFIX):
            keys = name.removeprefix(PREFIX).lower().split("__")
            _overrule(content, keys, environment[name])
            origins[tuple(keys)] = name
    try:
        return Config.model_validate(content, context={"folder": path.resolve().parent})
    except ValidationError as error:
        raise ConfigWrong([_told(path, origins, problem) for problem in error.errors()]) from error


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigWrong([f"{path}: larger than {MAX_FILE_BYTES} bytes"])
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigWrong([f"{path}: {error}"]) from error
    if not isinstance(content, dict):
        raise ConfigWrong([f"{path}: expected keys and values, such as `controller: centre-1`"])
    return content


def _overrule(content: dict[str, Any], keys: list[str], text: str) -> None:
    section = content
    for key in keys[:-1]:
        below = section.get(key)
        section[key] = below if isinstance(below, dict) else {}
        section = section[key]
    section[keys[-1]] = yaml.safe_load(text) if text[:1] in {"[", "{"} else text


def _told(path: Path, origins: Mapping[tuple[str, ...], str], problem: ErrorDetails) -> str:
    keys = tuple(map(str, problem["loc"]))
    key = ".".join(keys) or "the file as a whole"
    variable = next((name for overruled, name in origins.items() if keys[: len(overruled)] == overruled), None)
    where = f"the environment's {variable}" if variable else path
    value, words = problem["input"], problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{where}: {key} is missing"
    if problem["type"] == "extra_forbidden":
        return f"{where}: {key} is no key that is known here"
    if isinstance(value, dict | list):
        return f"{where}: {key}: {words}"
    return f"{where}: {key} is {str(value)[:200]!r}: {words}"


def _secret(path: Path | None) -> str:
    return path.read_text().strip() if path else ""
