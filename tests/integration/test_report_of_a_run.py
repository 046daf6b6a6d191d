"""A short real run leaves a folder from which the report and the inspection work, also in a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flightos.ground.inspect import open_run
from flightos.ground.report import write_report

DURATION_S = 120

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    command = [
        "run",
        "string_of_three",
        "--virtual",
        "--duration",
        str(DURATION_S),
        "--out",
        str(out),
        "--json",
    ]
    done = subprocess.run([sys.executable, "-m", "flightos.cli", *command], capture_output=True, timeout=120)
    assert done.returncode in (0, 1), done.stderr.decode()
    return out


def test_every_second_of_housekeeping_is_in_the_archive(folder: Path) -> None:
    run = open_run(folder)
    series = run.series("sat-*/resources/soc_ratio", path="umbilical")
    assert len(series) == 3
    assert all(len(one.t_s) >= DURATION_S - 2 for one in series)
    assert all(0 < value <= 1 for one in series for value in one.value.tolist())
    assert run.catalogue("SELECT * FROM faults") == []
    assert run.catalogue("SELECT * FROM gaps WHERE path = 0") == []


def test_report_tells_the_verdict_of_the_summary(folder: Path) -> None:
    page = write_report(folder).read_text()
    passed = json.loads((folder / "summary.json").read_text())["passed"]
    assert (">PASS<" if passed else ">FAIL<") in page
    assert page.count('class="card-plot"') == 3


def test_a_browser_draws_the_report(folder: Path, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium: the report is not looked at")
    picture = tmp_path / "report.png"
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
    command = [chromium, *options, f"--screenshot={picture}", "--window-size=1200,2400"]
    subprocess.run([*command, write_report(folder).as_uri()], capture_output=True, timeout=120, check=True)
    from matplotlib.image import imread

    pixels = imread(picture)
    assert pixels.shape[:2] == (2400, 1200)
    colours = {tuple(pixel) for pixel in (pixels[::7, ::7, :3] * 15).astype(int).reshape(-1, 3).tolist()}
    assert len(colours) > 20, "a page with pictures has many colours"
