"""The generated reference pages say what the code says."""

import importlib.util
from pathlib import Path

import pytest

FOLDER = Path("docs/reference")


def generated() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("reference", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages: dict[str, str] = module.pages()
    return pages


@pytest.mark.parametrize(("name", "text"), generated().items(), ids=lambda value: value[:12])
def test_a_page_is_up_to_date(name: str, text: str):
    assert (FOLDER / name).read_text() == text, "run `make reference`"
