"""Every example runs, holds its own checks and draws its picture; docs/KERNELS.md shows what they really find."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest

from flightos.kernels import backend

ROOT: Final = Path(__file__).parents[3]
EXAMPLES: Final = ROOT / "examples"
PAGE: Final = ROOT / "docs" / "KERNELS.md"
DATA: Final = Path(os.environ.get("FLIGHTOS_DATA", ROOT.parent / "shared" / "data"))
GOTCHA: Final = DATA / "sar_gotcha" / "gotcha_pass1_hh_az001-004.npz"
HELPERS: Final = {"pictures", "coders", "everything"}
NAMES: Final = tuple(sorted({path.stem for path in EXAMPLES.glob("*.py")} - HELPERS))
NEED_C: Final = ("image_compression", "near_lossless", "own_tables")
PICTURE_BYTES_MAX: Final = 250_000
CHANGING: Final = ("drawn:", "time:", "rates with", "NOT THE REAL SET", "NO PEERS", "peer:", "THE C KERNELS")
"""Beginnings of lines that the page does not repeat: they depend on the machine and on what is installed."""


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import an example as a script is: its folder comes first; afterwards nothing of it is left."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: no example runs (extra plots)")
    pytest.importorskip("tifffile", reason="tifffile is not installed: the Landsat image is not read")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    known = set(sys.modules)

    def load_one(name: str) -> ModuleType:
        if name in NEED_C and backend() != "c":
            pytest.skip(
                "flightos._fos is not built: there are no tables, and its codecs take a thousand times longer"
            )
        monkeypatch.setattr(importlib.import_module("pictures"), "DOTS_PER_INCH", 40)
        module = importlib.import_module(name)
        if name == "image_compression":
            monkeypatch.setattr(module, "ROUNDS", 1)
        return module

    yield load_one
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(EXAMPLES)):
            del sys.modules[name]


SLOW: Final = ("image_compression", "near_lossless")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in NAMES]
)
def test_an_example_holds_and_the_page_says_what_it_finds(
    name: str, load: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--out", str(tmp_path)]
    has_real_input = name != "sar_focus" or GOTCHA.exists()
    if name == "sar_focus" and has_real_input:
        given += ["--sar", str(GOTCHA)]
    assert load(name).main(given) == 0
    assert (tmp_path / f"{name}.png").stat().st_size > 1_000
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(CHANGING)]
    assert any(line.startswith("checked: ") for line in lines)
    page = PAGE.read_text(encoding="utf-8")
    if name == "image_compression":  # its table: rates depend on the machine, compression does not
        assert ratios((tmp_path / f"{name}.md").read_text(encoding="utf-8")) == ratios(page)
    elif has_real_input:
        assert [line for line in lines if f"\n{line}\n" not in page] == []


def ratios(text: str) -> dict[str, tuple[str, str]]:
    """Coder of flightos to its compression of the two images, from the table; peers differ between versions."""
    rows = re.findall(r"^\| (CCSDS [^|]+) \| ([\d.]+) \| \d+ \| \d+ \| ([\d.]+) \|", text, flags=re.M)
    return {name: (first, second) for name, first, second in rows}


def test_made_up_echoes_are_focused_too(load: Any, tmp_path: Path) -> None:
    module = load("sar_focus")
    assert module.main(["--out", str(tmp_path)]) == 0


BROKEN: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "calibration": (
        "calibrate",
        lambda right: lambda raw, gain, *more, **fill: right(raw, gain * np.float32(1.001), *more, **fill),
    ),
    "water_and_burn": ("normalised_difference_above", lambda right: lambda a, b, _: right(a, b, 0.01)),
    "clouds": (
        "cloud_mask",
        lambda right: lambda *bands: right(*bands[:3], np.zeros_like(bands[3]), bands[4]),
    ),
    "ships_and_fires": (
        "find_targets",
        lambda right: lambda dn, limits: right(dn, limits._replace(guard_radius=0)),
    ),
    "sar_focus": ("backproject", lambda right: lambda *given: right(*given)[::-1]),
    "image_compression": ("measure", lambda right: lambda *given: right(*given)._replace(is_restored=False)),
    "near_lossless": ("decode_image", lambda right: lambda coded: right(coded) ^ 16),
    "upsets": ("voting", lambda right: SimpleNamespace(vote=right.vote, scrub=lambda *_: (0, 0, 0))),
    "lost_shards": ("restore", lambda _: lambda *_: None),
    "matrix_product": ("correct_int8", lambda right: lambda product, sums: right(product.copy(), sums)),
    "own_tables": ("is_dispatch_intact", lambda _: lambda: True),
    "constellation_sight": (
        "pairs_in_sight",
        lambda right: lambda r_km, radius_km: right(r_km, radius_km + 5.0),
    ),
    "contacts": ("scan_contacts", lambda right: lambda *given: right(*given[:3], given[3] + 0.01)),
}
"""For each example a function that it uses, and what makes of it one that does its work wrongly."""


@pytest.mark.parametrize("name", NAMES)
def test_an_example_fails_when_a_kernel_does_not_do_its_work(
    name: str, load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an example checks is what its kernels do: a little wrong is noticed, and ends in status 1."""
    module = load(name)
    monkeypatch.setattr(module.Example, "save", lambda *_: None)  # the pictures of it are nobody's concern
    function, broken = BROKEN[name]
    monkeypatch.setattr(module, function, broken(getattr(module, function)))
    assert module.main(["--out", str(tmp_path)]) == 1
    assert "WRONG: " in capsys.readouterr().out


def test_everything_runs_each_example_once(load: Any) -> None:
    assert sorted(load("everything").EXAMPLES) == list(NAMES)


def test_the_page_has_a_picture_of_each_example(load: Any) -> None:
    """In the order in which `everything` draws them."""
    shown = re.findall(r"\]\((pictures/\w+\.png)\)", PAGE.read_text(encoding="utf-8"))
    assert shown == [f"pictures/{name}.png" for name in load("everything").EXAMPLES]
    sizes = [(PAGE.parent / picture).stat().st_size for picture in shown]
    assert max(sizes) < PICTURE_BYTES_MAX
    assert sum(sizes) < 6 * PICTURE_BYTES_MAX


def test_the_code_of_the_page_runs() -> None:
    """All blocks in order, in one place, as a reader would type them."""
    pytest.importorskip("tifffile", reason="tifffile is not installed: the Landsat image is not read")
    if backend() != "c":
        pytest.skip("flightos._fos is not built: the codecs' references take a thousand times longer")
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    assert len(blocks) == len(NAMES) + 2, "the beginning that all share, one of each program, and tiles"
    for block in blocks:
        exec(block, names)
    assert np.array_equal(names["decode_image"](names["image_code"]), names["scene"].image)
    index = names["normalised_difference"](names["nir"], names["red"])
    assert np.array_equal(names["whole"], index[: len(names["whole"])])
