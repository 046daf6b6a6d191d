"""Every fuzz target is built, has a corpus that runs everywhere, and is driven by libFuzzer where that is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.check import FUZZ_TARGETS

FUZZ: Final = Path(__file__).resolve().parents[2] / "native" / "fuzz"
CORPUS_BYTES_MAX: Final = 300_000
INPUT_BYTES_MAX: Final = 8192
"""INPUT_BYTES_MAX of standalone.c: it would read only so much of a file."""


def test_every_target_is_built_and_driven() -> None:
    """A new fuzz_<target>.c is in the build and in the stage of check.py."""
    targets = sorted(path.stem.removeprefix("fuzz_") for path in FUZZ.glob("fuzz_*.c"))
    build = re.search(
        r"foreach\(target IN ITEMS ([\w ]+)\)", (FUZZ / "CMakeLists.txt").read_text(encoding="utf-8")
    )
    assert build
    assert targets == sorted(FUZZ_TARGETS) == sorted(build[1].split())


@pytest.mark.parametrize("target", FUZZ_TARGETS)
def test_a_target_has_a_corpus_of_whole_inputs(target: str) -> None:
    """Many small files, none longer than the driver reads."""
    sizes = [path.stat().st_size for path in (FUZZ / "corpus" / target).iterdir()]
    assert len(sizes) >= 10
    assert max(sizes) <= INPUT_BYTES_MAX


def test_the_corpora_stay_small() -> None:
    """Minimised, or they would grow with every campaign."""
    sizes = [path.stat().st_size for path in (FUZZ / "corpus").rglob("*") if path.is_file()]
    assert sum(sizes) <= CORPUS_BYTES_MAX
