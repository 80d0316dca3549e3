import pytest

from lamplighter_gateway.update.building import NotBuildableError, build, mistakes

OURS = ["lamplighter_contract-0.1.0-py3-none-any.whl", "lamplighter_gateway-0.1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (OURS, []),
        ([*OURS, "numpy-2.4.6-cp311-cp311-manylinux_2_28_aarch64.whl"], []),
        ([*OURS, "cryptography-50.0.2-cp311-abi3-manylinux_2_34_aarch64.whl"], []),
        (OURS[:1], ["expected one wheel of lamplighter_gateway"]),
        ([*OURS, "numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl"], ["expected aarch64"]),
        ([*OURS, "numpy-2.4.6-cp312-cp312-manylinux_2_28_aarch64.whl"], ["expected cp311"]),
        (["numpy-2.4.6-cp312-cp312-win_amd64.whl"], ["contract", "gateway", "expected aarch64", "expected cp311"]),
    ],
)
def test_wheels_for_another_machine_are_named_all_at_once(names, told):
    found = list(mistakes(names, "aarch64", "3.11"))
    assert len(found) == len(told)
    assert all(any(word in one for one in found) for word in told)


def test_a_file_that_holds_no_key_is_named(tmp_path):
    for name in OURS:
        (tmp_path / name).touch()
    (tmp_path / "root.key").write_text("root nonsense")
    with pytest.raises(NotBuildableError, match="holds no key"):
        build(tmp_path, tmp_path / "x.bundle", tmp_path / "root.key", architecture="aarch64", python="3.11")
