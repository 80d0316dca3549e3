"""Keys are in force as soon as the root key's word is there, whatever the disk says."""

from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.commands import keys as module
from lamplighter_gateway.disk import DiskFullError
from tests.gateway.fakes import until
from tests.gateway.rig import Rig, keys_document


async def test_new_keys_are_in_force_while_the_disk_is_full_and_kept_once_it_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    rig = Rig(tmp_path)
    async with rig.running() as gateway:
        journal = gateway.journal
        await rig.centre.final(rig.centre.send(rig.centre.light_set(50)))
        kept, tries, full = journal.keep_keys, 0, True

        async def keep(payload):
            nonlocal tries
            tries += 1
            if full:
                raise DiskFullError("full")
            await kept(payload)

        monkeypatch.setattr(journal, "keep_keys", keep)
        rotated = keys_document(version=2)
        rig.link.send(Down.KEYS, rotated, retained=True)
        await until(lambda: tries > 2)
        assert (await rig.centre.final(rig.centre.send(rig.centre.light_set(60))))["state"] == "verified"
        await until(lambda: "keys.not_kept" in {event["event"] for event in rig.link.events()})
        assert await journal.keys() == keys_document(version=1)
        full, before = False, tries
        await until(lambda: tries > before)
        assert await journal.keys() == rotated
    assert [event["event"] for event in rig.link.events()].count("keys.not_kept") == 1
