"""The report stands alone, tells the verdict first, and is written for whatever a run has left."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from flightos.ground.report import _worst, write_report
from flightos.ground.report_data import gather
from flightos.ground.report_map import ground_map, land_rings, ring_view
from flightos.ground.report_svg import TimeAxis, amount, clock, png
from flightos.ground.report_time import link_lanes, task_lanes
from tests.unit.ground.synthetic_run import write_run

VOID = {"meta", "link"}


class Balance(HTMLParser):
    """Fails on a tag that does not close, and gathers addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    target = tmp_path / "run"
    shutil.copytree(folder, target)
    return target


def test_page_is_whole_and_asks_for_nothing_outside(folder: Path) -> None:
    page = write_report(folder).read_text()
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert parser.addresses
    assert all(address.startswith("data:") for address in parser.addresses)
    assert not re.search(r"url\(|@import|<script|https?://", page)


def test_verdict_and_criteria_come_first(folder: Path) -> None:
    page = write_report(folder).read_text()
    assert page.index(">FAIL<") < page.index("Criteria") < page.index("Constellation") < page.index("Tasks")
    assert page.count("✗ fail") == 1
    assert page.count("✓ pass") == 3


def test_upsets_are_told_apart_by_what_they_hit(folder: Path) -> None:
    """Eleven particles and three found does not mean that eight escaped."""
    page = write_report(folder).read_text()
    assert "3 hit work in progress, of which checksums found 3" in page


def test_every_part_of_a_whole_run_is_drawn(folder: Path) -> None:
    page = write_report(folder).read_text()
    for heading in ("Constellation", "Tasks", "Charge, heat and work", "Links", "What was seen", "Events"):
        assert f"<h2>{heading}</h2>" in page
    assert page.count('class="card-plot"') == 12
    assert "water" in page
    assert "a1" * 32 in page
    assert "PEER_DECLARED" in page


def test_tasks_are_bars_with_their_endings(folder: Path) -> None:
    data = gather(folder)
    assert len(data.executions) == 64
    drawing = task_lanes(data)
    assert drawing.count('class="bar task finished"') == 63
    assert drawing.count('class="bar task failed"') == 1
    assert drawing.count('class="eclipse"') == 6


def test_lost_link_is_marked(folder: Path) -> None:
    drawing = link_lanes(gather(folder))
    assert drawing.count('class="lost"') == 1
    assert "lost sat-06 - sat-07 at 13:20" in drawing


def test_ring_shows_the_link_that_is_down(folder: Path) -> None:
    drawing = ring_view(gather(folder))
    assert drawing.count('class="laser"') == 11
    assert drawing.count('class="laser down"') == 1


@pytest.mark.parametrize(
    "missing",
    [
        "summary.json",
        "manifest.json",
        "geometry.json",
        "scene.npz",
        "catalogue.sqlite",
        "telemetry",
        "dictionary.json",
    ],
)
def test_partial_folder_gives_a_report(copy: Path, missing: str) -> None:
    path = copy / missing
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    page = write_report(copy).read_text()
    assert (">UNFINISHED<" if missing == "summary.json" else ">FAIL<") in page


def test_empty_folder_gives_a_report(tmp_path: Path) -> None:
    assert ">UNFINISHED<" in write_report(tmp_path).read_text()


def test_damaged_files_give_a_report(copy: Path) -> None:
    (copy / "geometry.json").write_text(
        '{"satellites": {"1": {"lat_deg": [1]}}, "contacts": [[1]], "eclipses": {"1": 5}'
    )
    (copy / "scene.npz").write_bytes(b"PK\x03\x04 not an archive")
    for product in (copy / "products").iterdir():
        product.write_bytes(product.read_bytes()[:40])
    with (copy / "packets.umbilical.raw").open("ab") as raw:
        raw.write(b"\x09\x01torn")
    assert ">FAIL<" in write_report(copy).read_text()


def test_odd_geometry_is_left_out(copy: Path) -> None:
    geometry = json.loads((copy / "geometry.json").read_text())
    geometry["satellites"]["1"]["lat_deg"] = [1.0]
    geometry["contacts"].append([1])
    (copy / "geometry.json").write_text(json.dumps(geometry))
    assert ground_map(gather(copy)).count('class="sat ') == 11


def test_silent_node_is_shown(tmp_path: Path) -> None:
    folder = write_run(tmp_path, duration_s=900, silent_id=3, silent_from_s=400)
    assert gather(folder).silences[3] == [(395.0, 900.0)]
    page = write_report(folder).read_text()
    assert "no telemetry 6:35 to 15:00" in page


def test_events_alike_are_counted_not_repeated(folder: Path) -> None:
    data = gather(folder)
    event = next(event for event in data.events if event.name == "PEER_DECLARED")
    rows = _worst([*data.events, *[event] * 9])
    assert [(row.name, more) for row, more in rows[:4]] == [("PEER_DECLARED", n) for n in (0, 0, 7)] + [
        ("MODE_CHANGED", 0)
    ]


def test_text_from_outside_is_escaped(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["settings"]["question"] = "<script>alert(1)</script>"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert "<script" not in write_report(copy).read_text()


def test_png_is_what_a_reader_expects() -> None:
    from io import BytesIO

    from matplotlib.image import imread

    pixels = np.random.default_rng(1).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    assert np.array_equal(np.rint(imread(BytesIO(png(pixels))) * 255), pixels)


def test_vendored_land_is_what_the_list_says() -> None:
    vendor = files("flightos.ground") / "vendor"
    digest = hashlib.sha256((vendor / "land.json").read_bytes()).hexdigest()
    assert digest in (vendor / "VENDOR.md").read_text()
    assert len(land_rings()) > 100


def test_numbers_are_written_for_people() -> None:
    assert (clock(59.6), clock(3_725)) == ("1:00", "1:02:05")
    assert (amount(33_542, "B"), amount(1_234_567)) == ("33.5 kB", "1\N{THIN SPACE}234\N{THIN SPACE}567")
    assert TimeAxis(1800, 0, 100).ticks(8)[-1] == (1800, "30:00")
