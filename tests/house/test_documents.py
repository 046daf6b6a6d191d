"""Every service is complete, its document names tests that exist, and published ids keep their meaning."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from flightos.ground.acceptance_interface import DICTIONARY as ACCEPTANCE
from flightos.node.dictionary import service_dictionaries
from flightos.node.dictionary_lock import lock_faults

ROOT: Final = Path(__file__).resolve().parents[2]
SERVICES: Final = sorted(path.parent.name for path in (ROOT / "flightos" / "services").glob("*/interface.py"))
TESTS: Final = {
    name
    for path in (ROOT / "tests").rglob("*.py")
    for name in re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.M)
} | {path.stem for path in (ROOT / "tests").rglob("test_*.py")}


def test_there_are_ten_services() -> None:
    """The ten of the architecture."""
    assert len(SERVICES) == 10


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_contract_logic_and_document(service: str) -> None:
    """interface.py, service.py and sdd.md lie in its folder."""
    folder = ROOT / "flightos" / "services" / service
    assert [name for name in ("interface.py", "service.py", "sdd.md") if not (folder / name).is_file()] == []


@pytest.mark.parametrize(
    "document", sorted((ROOT / "flightos").rglob("sdd.md")), ids=lambda path: path.parent.name
)
def test_tests_named_in_a_document_exist(document: Path) -> None:
    """A requirement that names a test which is gone is not verified. `test_of_one_kind...` names several."""
    named = re.findall(r"\b(test_\w+)(\*|…|\.\.\.)?", document.read_text(encoding="utf-8"))
    gone = [
        name
        for name, star in named
        if name not in TESTS and not (star and any(test.startswith(name) for test in TESTS))
    ]
    assert gone == []


def test_published_ids_keep_their_meaning() -> None:
    """dictionary.lock holds every id; a new one is added with `python tests/house/lock_dictionary.py`."""
    lock_text = (ROOT / "dictionary.lock").read_text(encoding="utf-8")
    assert lock_faults(lock_text, service_dictionaries([ACCEPTANCE])) == []
