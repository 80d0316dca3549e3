import platform
import sys
import tarfile
import zipfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.errors import Refusal
from lamplighter_gateway.update import bundle as bundles
from lamplighter_gateway.update.installing import install
from lamplighter_gateway.update.manifest import Machine
from lamplighter_gateway.update.place import Place
from lamplighter_gateway.update.slots import Installed, Slot, Slots

ROOT = Signer("root", bytes(range(32)))
OTHER = Signer("root", bytes(32))
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HERE = Machine(platform.machine(), PYTHON, "1.4.0")


def make(folder, *, signer=ROOT, version="1.5.0", architecture=HERE.architecture, python=PYTHON, name="new.bundle"):
    wheels = []
    for title in ("lamplighter_gateway", "lamplighter_contract"):
        path = folder / f"{title}-1.5.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{title}/__init__.py", "x = 1\n" * 100)
        wheels.append(path)
    target = folder / name
    bundles.write(target, wheels, version=version, architecture=architecture, python=python, signer=signer)
    return target


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path / "data", "1.4.0")
    place.save(Slots(Installed(Slot.BASE, "1.4.0", "")))
    return place


def refusal(path, tmp_path, machine=HERE):
    target = tmp_path / "unpacked"
    target.mkdir(exist_ok=True)
    found = bundles.unpack(path, target, ROOT.public, machine)
    return found if isinstance(found, Refusal) else None


def test_a_good_one_is_unpacked_whole_and_the_same_wheels_give_the_same_bytes(tmp_path):
    good = make(tmp_path)
    assert refusal(good, tmp_path) is None
    assert len(list((tmp_path / "unpacked").iterdir())) == 2
    assert make(tmp_path, name="again.bundle").read_bytes() == good.read_bytes()


@pytest.mark.parametrize(
    ("changes", "reason", "word"),
    [
        ({"signer": OTHER}, "signature", "does not fit"),
        ({"version": "1.4.0"}, "version", "newer than 1.4.0"),
        ({"version": "1.3.9"}, "version", "newer than 1.4.0"),
        ({"version": "newest"}, "malformed", "expected numbers"),
        ({"architecture": "aarch64"}, "address", "it is for aarch64"),
        ({"python": "3.10"}, "address", "Python 3.10"),
    ],
)
def test_what_is_not_for_this_machine_is_refused_and_the_running_version_stays(tmp_path, place, changes, reason, word):
    bad = make(tmp_path, **changes)
    before = place.load()
    found = install(bad, place, ROOT.public)
    assert isinstance(found, Refusal)
    assert (found.reason, word in found.detail) == (reason, True)
    assert place.load() == before
    assert not place.path(Slot.A).exists()


def test_a_step_back_has_to_be_asked_for(tmp_path):
    older = make(tmp_path, version="1.3.0")
    assert refusal(older, tmp_path) is not None
    assert refusal(older, tmp_path, replace(HERE, older=True)) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_cut_tail_is_refused_wherever_it_was_cut(tmp_path, data):
    whole = make(tmp_path).read_bytes()
    # The two blocks of zeros at the end of an archive (POSIX.1-2001, pax) carry nothing.
    last = len(whole.rstrip(b"\0"))
    cut = tmp_path / "cut.bundle"
    cut.write_bytes(whole[: data.draw(st.integers(0, last - 1))])
    assert refusal(cut, tmp_path) is not None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_changed_byte_of_a_file_or_the_manifest_is_refused(tmp_path, data):
    whole = bytearray(make(tmp_path).read_bytes())
    with tarfile.open(tmp_path / "new.bundle") as archive:
        spans = [range(entry.offset_data, entry.offset_data + entry.size) for entry in archive]
    at = data.draw(st.sampled_from(data.draw(st.sampled_from(spans))))
    whole[at] ^= data.draw(st.integers(1, 255))
    changed = tmp_path / "changed.bundle"
    changed.write_bytes(whole)
    found = refusal(changed, tmp_path)
    assert found is not None
    assert found.reason in {"signature", "malformed"}


def test_more_or_other_files_than_were_signed_are_refused(tmp_path):
    more = make(tmp_path)
    with tarfile.open(more, "a") as archive:
        archive.add(tmp_path / "lamplighter_gateway-1.5.0-py3-none-any.whl", "evil-1-py3-none-any.whl")
    assert "more files" in refusal(more, tmp_path).detail


def test_wheels_that_cannot_be_installed_leave_the_slot_empty(tmp_path, place):
    found = install(make(tmp_path), place, ROOT.public)
    assert isinstance(found, Refusal)
    assert "cannot be installed" in found.detail
    assert not place.path(Slot.A).exists()


def test_a_version_on_trial_is_not_overwritten(tmp_path, place):
    (place.path(Slot.A) / "bin").mkdir(parents=True)
    (place.path(Slot.A) / "bin" / "python").touch()
    place.save(place.load().tries(Installed(Slot.A, "1.5.0", "f" * 64), (True, True), 600))
    found = install(make(tmp_path, version="1.6.0"), place, ROOT.public)
    assert isinstance(found, Refusal)
    assert "on trial" in found.detail
    assert (place.path(Slot.A) / "bin" / "python").exists()


def test_a_refused_bundle_leaves_the_version_before_the_last_in_its_slot(tmp_path, place):
    (place.path(Slot.A) / "bin").mkdir(parents=True)
    assert isinstance(install(make(tmp_path, signer=OTHER), place, ROOT.public), Refusal)
    assert (place.path(Slot.A) / "bin").exists()
    assert not (place.folder / "wheels").exists()


def test_a_trial_whose_slot_is_empty_is_over(tmp_path, place):
    place.save(place.load().tries(Installed(Slot.A, "1.5.0", "f" * 64), (True, True), 600))
    assert place.load().trial is None
    assert place.load().failed[-1] == ("f" * 64, "its slot is empty")


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 4096])
def test_no_archive_is_no_bundle(tmp_path, content):
    path = tmp_path / "no.bundle"
    path.write_bytes(content)
    assert refusal(path, tmp_path) is not None
