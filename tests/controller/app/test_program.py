"""The whole controller on a real broker, DuckDB and SQLite."""

import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import aiomqtt
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lamplighter_contract.wire import documents
from lamplighter_contract.wire.documents import ControllerState
from lamplighter_contract.wire.topics import CONTROLLER_STATE
from tests.controller.app.program import Controller, gateway, mode_of, now_ms, until
from tests.system.servers import Mosquitto

pytestmark = pytest.mark.system


@pytest.fixture
def broker(make_mosquitto) -> Mosquitto:
    found: Mosquitto = make_mosquitto(persistence=True)
    return found


async def controller_state(port: int) -> ControllerState:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(CONTROLLER_STATE, 1)
        message = await asyncio.wait_for(anext(client.messages), 10)
    assert isinstance(message.payload, bytes)
    state = documents.decode(message.payload, ControllerState)
    assert isinstance(state, ControllerState)
    return state


async def test_a_reading_comes_in_is_acknowledged_and_seen_and_the_program_stops_in_time(
    tmp_path: Path, broker: Mosquitto
) -> None:
    with Controller(tmp_path / "c", broker.port) as centre:
        async with gateway(broker.port) as gw, centre.client() as http:
            await gw.born("lamp-1", "lamp-2")
            await gw.send(7, "lamp-1", "lamp-2", time_ms=now_ms(), power_w=42.5)
            await until(lambda: gw.acked == {7})
            assert "42.5" in (await http.get("/latest?kind=lamp")).text
            assert (await http.get("/health")).json()["detail"]["gateways_online"] == 1
            await until(lambda: any(str(message.topic).endswith("/keys") for message in gw.others))
            state = await controller_state(broker.port)
            assert state.online
            assert state.storing
            assert {ack.epoch for ack in gw.acks} == {state.epoch}
        assert mode_of(centre.folder / "data" / "control.sock") == 0o600
        assert centre.stop() < 5
    assert not (await controller_state(broker.port)).online


async def test_after_a_kill_everything_acknowledged_is_there_and_the_epoch_is_higher(
    tmp_path: Path, broker: Mosquitto
) -> None:
    centre = Controller(tmp_path / "c", broker.port)
    begun_ms = now_ms()
    async with gateway(broker.port) as gw:
        with centre:
            await gw.born("lamp-1")
            for seq in range(50):
                await gw.send(seq, "lamp-1", time_ms=begun_ms + seq, power_w=float(seq))
            await until(lambda: len(gw.acked) > 10)
            centre.kill()
            acked, epoch = set(gw.acked), gw.acks[-1].epoch
            centre.start()
            async with centre.client() as http:
                history = await http.get(
                    "/devices/lamp-1/history",
                    params={"start": begun_ms, "end": begun_ms + 1000, "quantities": "power_w"},
                )
                assert history.status_code == 200, history.text
                for seq in acked:
                    assert str(float(seq)) in history.text
            await gw.centre_after(epoch)
            await gw.send(99, "lamp-1", time_ms=begun_ms + 99)
            await until(lambda: 99 in gw.acked)
            assert gw.acks[-1].epoch > epoch
            assert "console" in (centre.folder / "controller.out").read_text()
            assert "#token" not in (centre.folder / "controller.out").read_text()


async def test_a_backup_of_the_running_controller_restores_into_a_held_one(tmp_path: Path, broker: Mosquitto) -> None:
    first = Controller(tmp_path / "first", broker.port)
    time_ms = now_ms()
    async with gateway(broker.port) as gw:
        with first:
            await gw.born("lamp-1")
            await gw.send(1, "lamp-1", time_ms=time_ms, power_w=33.25)
            await until(lambda: gw.acked == {1})
            made = first.run_tool("backup", "--to", str(tmp_path / "copy"))
            assert made.exit_code == 0, made.stderr
            epoch = gw.acks[-1].epoch
        second = Controller(tmp_path / "second", broker.port)
        restored = second.run_tool("restore", "--from", str(tmp_path / "copy"))
        assert restored.exit_code == 0, restored.stderr
        again = second.run_tool("restore", "--from", str(tmp_path / "copy"))
        assert again.exit_code == 1
        assert "there already" in again.stderr
        assert second.fail_to_start().returncode == 1  # the signing key is not in a backup
        key = second.folder / "data/keys/commands.key"
        key.touch(mode=0o600)
        key.write_bytes((first.folder / "data/keys/commands.key").read_bytes())
        second.token = first.token
        assert second.run_tool("enrol", "gw-2", "--reason", "a box that is never heard").exit_code == 0
        with second:
            await gw.centre_after(epoch)
            await gw.send(2, "lamp-1", time_ms=time_ms + 1, power_w=34.0)
            await until(lambda: gw.acked == {1, 2})
            assert gw.acks[-1].epoch > epoch
            async with second.client() as http:
                history = await http.get(
                    "/devices/lamp-1/history",
                    params={"start": time_ms, "end": time_ms + 1000, "quantities": "power_w"},
                )
                assert "33.25" in history.text
                assert (await http.get("/health")).json()["detail"]["held"]
                order = {
                    "op": "light.set",
                    "devices": ["lamp-1"],
                    "args": {"level_percent": 50, "until": time_ms + 3_600_000},
                    "reason": "test",
                }
                refused = await http.post("/commands", json=order)
                assert "released" in refused.text or "release" in refused.text
                assert not any(str(message.topic).endswith("/command") for message in gw.others)
                waits = second.run_tool("release", "--reason", "looked at everything")
                assert waits.exit_code == 1
                assert "not heard since the start: gw-2." in waits.stderr
                assert "--anyway" in waits.stderr
                assert (await http.get("/health")).json()["detail"]["held"]
                released = second.run_tool("release", "--anyway", "--reason", "gw-2 has no lamps yet")
                assert released.stdout == "released\n", released.stderr
                entry = (await http.get("/audit?limit=1")).json()["items"][0]
                assert (entry["action"], entry["detail"]) == ("controller.release", {"unheard": ["gw-2"]})
                assert (await http.post("/commands", json=order)).status_code < 300
                await until(lambda: any(str(message.topic).endswith("/command") for message in gw.others))


async def test_the_command_line_enrols_and_makes_tokens_with_and_without_a_running_controller(
    tmp_path: Path, broker: Mosquitto
) -> None:
    centre = Controller(tmp_path / "c", broker.port)
    made = centre.run_tool("enrol", "gw-8", "--reason", "bench")
    assert made.stdout == "gw-8 is enrolled, generation 1\n", made.stderr
    with centre:
        another = centre.run_tool("enrol", "gw-9", "--reason", "bench")
        assert another.exit_code == 0, another.stderr
        twice = centre.run_tool("enrol", "gw-9", "--reason", "bench")
        assert twice.exit_code == 1
        assert "enrolled already" in twice.stderr
        async with gateway(broker.port, "gw-9") as gw:
            await gw.born("lamp-9")
            await gw.send(1, "lamp-9", time_ms=now_ms())
            await until(lambda: gw.acked == {1})
        centre.token = centre.run_tool("token", "reader", "read", "--reason", "test").stdout.strip()
        async with centre.client() as http:
            assert (await http.get("/latest?kind=lamp")).status_code == 200
        assert centre.run_gateway("replace", "gw-8").stdout == "gw-8 is another box, generation 2\n"
        assert centre.run_gateway("revoke", "gw-8").exit_code == 0
        assert "not enrolled" in centre.run_gateway("revoke", "gw-8").stderr
        status = centre.run_tool("status")
        assert "gw-8" not in status.stdout
        assert "gw-9: online" in status.stdout, status.stdout + status.stderr
        assert Controller(tmp_path / "c", broker.port).fail_to_start().returncode == 1


async def test_the_console_is_served_over_https_when_there_is_a_certificate(tmp_path: Path, broker: Mosquitto) -> None:
    certificate = self_signed(tmp_path)
    centre = Controller(tmp_path / "c", broker.port)
    text = centre.config.read_text().replace(
        "{port: 0}", f"{{port: 0, certificate: {certificate}, key: {certificate}}}"
    )
    centre.config.write_text(text)
    with centre:
        assert centre.url.startswith("https://")
        context = ssl.create_default_context(cafile=str(certificate))
        async with httpx.AsyncClient(base_url=centre.url, verify=context) as http:
            assert (await http.get("/api/v1/health")).json()["status"] == "ok"


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(hours=1), now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "centre.pem"
    path.write_bytes(pem + builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return path


def test_a_wrong_configuration_starts_nothing(tmp_path: Path) -> None:
    centre = Controller(tmp_path / "c", 1, "colour: red", name="Centre")
    run, check = centre.fail_to_start(), centre.run_tool("check")
    assert (run.returncode, check.exit_code) == (2, 2)
    for told in (run.stderr, check.stderr):
        assert "colour" in told
        assert "'Centre'" in told
    assert not (centre.folder / "data").exists()


def test_a_city_shows_its_first_token_to_nobody_but_the_owner_of_its_data(tmp_path: Path, broker: Mosquitto) -> None:
    with Controller(tmp_path / "c", broker.port) as centre:
        kept = centre.folder / "data" / "admin.token"
        told = (centre.folder / "controller.out").read_text() + centre.log.read_text()
        assert kept.read_text() not in told
        assert str(kept) in told
        assert mode_of(kept) == 0o600
        assert "root.key lies beside" in told
        kept.unlink()  # a person has put it elsewhere
        centre.stop()
        (centre.folder / "data/keys/root.key").unlink()
        centre.log.unlink()
        centre.start()
        assert not kept.exists()
        assert "root.key" not in centre.log.read_text()


def test_the_demo_keeps_its_token_for_the_page(tmp_path: Path, broker: Mosquitto) -> None:
    with Controller(tmp_path / "c", broker.port, "demo: true") as centre:
        kept = centre.folder / "data" / "admin.token"
        assert f"/#token={kept.read_text()}\n" in (centre.folder / "controller.out").read_text()
        assert "root.key" not in centre.log.read_text()
        assert mode_of(kept) == 0o600
        assert json.loads((centre.folder / "data/keys/keys.json").read_text())["v"] == 1
