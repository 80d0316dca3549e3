"""Fixtures every test may ask for."""

from tests.system.fixtures import (
    influxd,
    make_influxd,
    make_mosquitto,
    make_postgres,
    make_victoria_metrics,
    mosquitto,
    postgres,
    postgres_url,
    victoria_metrics,
)

__all__ = [
    "influxd",
    "make_influxd",
    "make_mosquitto",
    "make_postgres",
    "make_victoria_metrics",
    "mosquitto",
    "postgres",
    "postgres_url",
    "victoria_metrics",
]
