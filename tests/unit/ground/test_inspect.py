"""Telemetry of a run is found by satellite, service and field, live and afterwards; wrong names are answered."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from flightos.core.errors import ConfigError, InfrastructureError
from flightos.core.refusal import Refusal
from flightos.ground.inspect import open_run
from flightos.ground.names import select, unit_of
from flightos.ground.receive import Receiver
from flightos.ground.status import print_status, status
from flightos.ground.tlm import export, list_parameters, plot_png, plot_text, print_samples, reduced, show
from flightos.ground.verifications import last_commands, report_of
from tests.unit.ground.synthetic_run import EPOCH_TAI_NS, NS, Spacecraft, document


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two satellites, ten seconds; the last four seconds lie in the raw log only, as in a run that was killed."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "manifest.json").write_text(
        json.dumps({"epoch_tai_ns": EPOCH_TAI_NS, "scenario": "x", "seed": 1, "state": "running"})
    )
    (run / "geometry.json").write_text(json.dumps({"names": {"1": "sat-01", "2": "sat-02"}}))
    receiver = Receiver(run, document(), EPOCH_TAI_NS, threaded=False)
    crafts = [Spacecraft(1), Spacecraft(2)]
    tail = b""
    for t in range(10):
        for craft in crafts:
            packet = craft.housekeeping("resources", t, soc_ratio=0.5 + t / 100, load_mw=craft.id * 1000 + t)
            packet += craft.housekeeping("health", t, mode=2)
            if t == 3:
                receiver.downlink(craft.id, packet, 8 * NS)
            if t < 6:
                receiver.umbilical(packet, t * NS + 7)
            else:
                tail += packet
    receiver.umbilical(crafts[0].event("TOO_HOT", 5.0, temperature_mk=334_000, limit_mk=333_000), 5 * NS)
    receiver.close()
    with (run / "packets.umbilical.raw").open("ab") as raw:
        raw.write(tail + crafts[1].event("TOO_HOT", 9.0) + b"half a packet")
    return run


def test_segments_and_raw_tail_are_one(folder: Path) -> None:
    (series,) = open_run(folder).series("sat-02/resources/load_mw", path="umbilical")
    assert series.t_s.tolist() == list(range(10))
    assert series.value.tolist() == [2000 + t for t in range(10)]
    assert series.unit == "mW"
    assert series.receive_s[5] == pytest.approx(5.0, abs=1e-6)
    assert series.receive_s[6] != series.receive_s[6], "the raw log does not tell when"
    assert [(e.node, e.t_s) for e in open_run(folder).events] == [("sat-01", 5.0), ("sat-02", 9.0)]


def test_both_paths_are_labelled(folder: Path) -> None:
    found = open_run(folder).series("1/resources/soc_ratio")
    assert [(s.path, len(s.t_s)) for s in found] == [("umbilical", 10), ("downlink", 1)]


def test_limits_and_last(folder: Path) -> None:
    run = open_run(folder)
    samples = show(run, "sat-*/resources/load_mw", from_s=2, to_s=8, last=2, path="umbilical")
    assert [(s.node, s.t_s) for s in samples] == [("sat-01", 7), ("sat-01", 8), ("sat-02", 7), ("sat-02", 8)]
    assert show(run, "1/health/mode", last=1, path="umbilical")[0].label == "NOMINAL"


def test_list_counts_samples(folder: Path) -> None:
    rows = {(r.parameter, r.path): r for r in list_parameters(open_run(folder), "*/resources")}
    row = rows["resources/load_mw", "umbilical"]
    assert (row.node_count, row.sample_count, row.value_min, row.value_max) == (2, 20, 1000, 2009)


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("sat-03x/resources/soc_ratio", "sat-0"),
        ("sat-01/resource/soc_ratio", "resources"),
        ("sat-01/resources/soc_rato", "soc_ratio"),
    ],
)
def test_wrong_names_are_answered_with_the_nearest(folder: Path, pattern: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        show(open_run(folder), pattern)
    assert hint in error.value.faults[0]


def test_pattern_parts_left_out_stand_for_all() -> None:
    names, parameters = {1: "a", 2: "b"}, ["x/one", "x/two", "y/three"]
    assert select("a", names, parameters) == ([1], parameters)
    assert select("*/x", names, parameters) == ([1, 2], ["x/one", "x/two"])


@pytest.mark.parametrize(
    ("field", "unit"),
    [
        ("compute/compute_mw", "mW"),
        ("soc_ratio", "1"),
        ("mode", ""),
        ("energy_available_mj", "mJ"),
        ("x_count", ""),
    ],
)
def test_unit_is_in_the_name(field: str, unit: str) -> None:
    assert unit_of(field) == unit


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "parquet"])
def test_export_holds_every_sample(folder: Path, tmp_path: Path, file_format: str) -> None:
    file = tmp_path / f"out.{file_format}"
    assert export(open_run(folder), "*/resources/load_mw", file_format, file, path="umbilical") == 20
    if file_format == "parquet":
        values = parquet.read_table(file)["value"].to_pylist()
    elif file_format == "jsonl":
        values = [json.loads(line)["value"] for line in file.read_text().splitlines()]
    else:
        values = [float(line.split(",")[5]) for line in file.read_text().splitlines()[1:]]
    assert values == [node * 1000 + t for node in (1, 2) for t in range(10)]


def test_plots(folder: Path, tmp_path: Path) -> None:
    run = open_run(folder)
    assert "soc_ratio" in plot_text(run, "*/resources/soc_ratio")
    png = plot_png(run, "*/resources/soc_ratio", tmp_path / "plot.png")
    assert png.read_bytes()[:4] == b"\x89PNG"


def test_reduction_keeps_peaks(folder: Path) -> None:
    import numpy as np

    value = np.zeros(100_000)
    value[54_321] = 9.0
    t_s, kept = reduced(np.arange(100_000.0), value, 500)
    assert len(kept) < 600
    assert t_s[int(np.argmax(kept))] == 54_321


def test_printing_is_one_line_per_sample(folder: Path) -> None:
    out = io.StringIO()
    print_samples(show(open_run(folder), "1/resources/load_mw", last=1), out, as_json=True)
    assert [json.loads(line)["path"] for line in out.getvalue().splitlines()].count("umbilical") == 1


def test_status_of_a_killed_run(folder: Path) -> None:
    content = status(folder)
    assert content["state"] == "killed"
    assert content["events_by_severity"]["medium"] == 1
    out = io.StringIO()
    print_status(content, out)
    assert "killed" in out.getvalue()


def test_a_run_lives_while_its_own_process_does(tmp_path: Path) -> None:
    """Not when another process got its id, and not when it only waits to be reaped."""
    manifest: dict[str, object] = {"state": "running", "pid": os.getpid()}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert status(tmp_path)["state"] == "running"
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "pid_start": "1"}))
    assert status(tmp_path)["state"] == "killed"
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()
    for _ in range(100):
        if Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.02)
    (tmp_path / "manifest.json").write_text(json.dumps({"state": "running", "pid": process.pid}))
    assert status(tmp_path)["state"] == "killed"
    process.stdout.close()
    process.wait()


def test_status_speaks_to_people(folder: Path) -> None:
    """Names of people, times as clocks, every figure once; no names of fields."""
    live = {
        "t_mission_ns": 602 * NS,
        "duration_ns": 1_800 * NS,
        "nodes_ok": 11,
        "nodes_fault": 1,
        "links_up": 10,
        "links_total": 12,
        "tasks_done": 40,
        "tasks_total": 64,
        "products": 10,
        "speed": 29.6,
        "is_first_telemetry": True,
    }
    (folder / "live.json").write_text(json.dumps(live))
    out = io.StringIO()
    print_status(status(folder), out)
    text = out.getvalue()
    for part in ("10:02 of 30:00 (x30)", "11 ok, 1 at fault", "10 of 12 up", "40 of 64 done"):
        assert part in text
    assert text.count("products") == 1
    assert "_ns" not in text
    assert "t mission" not in text
    assert "is first" not in text


def test_commands_and_what_became_of_them_are_shown(tmp_path: Path) -> None:
    """Stages in their order, a refusal by name, the operator's only, the last few."""
    receiver = Receiver(tmp_path, document(), EPOCH_TAI_NS, threaded=False)
    craft = Spacecraft(2)
    for stage, t_s, command_id, count, refusal in (
        (1, 1.0, 0x0101, 5, 0),
        (7, 1.5, 0x0101, 5, 0),
        (1, 2.0, 0x0501, 6, 0),
        (8, 2.5, 0x0501, 6, int(Refusal.NO_IMAGER)),
        (1, 3.0, 0x0101, 7, 0),
    ):
        receiver.umbilical(craft.verification(stage, t_s, command_id, count, refusal), round(t_s * NS))
    receiver.close()
    (tmp_path / "manifest.json").write_text(json.dumps({"epoch_tai_ns": EPOCH_TAI_NS}))
    run = open_run(tmp_path)
    done, refused, under_way = last_commands(run, 5)
    assert (done.stages, done.refusal, done.is_over, done.t_s) == (("accepted", "completed"), "", True, 1.5)
    assert (refused.command, refused.stages) == ("scheduling.RequestObservation", ("accepted", "failed"))
    assert (refused.refusal, refused.is_over, under_way.is_over) == ("NO_IMAGER", True, False)
    assert [one.command for one in last_commands(run, 1)] == [under_way.command]
    assert report_of(run, 2, refused.command, 6) == refused
    assert report_of(run, 2, refused.command, 9).stages == ()
    out = io.StringIO()
    print_status(status(tmp_path), out)
    assert "sat-02 scheduling.RequestObservation accepted, failed: NO_IMAGER" in out.getvalue()


def test_empty_and_missing_folders(tmp_path: Path) -> None:
    run = open_run(tmp_path)
    assert run.events == []
    assert run.products() == []
    assert run.query("SELECT count(*) FROM telemetry") == [(0,)]
    with pytest.raises(InfrastructureError):
        open_run(tmp_path / "none")


def test_chart_of_several_series_uses_letters(folder: Path) -> None:
    text = plot_text(open_run(folder), "*/resources/load_mw", width=60, height=10)
    lines = text.splitlines()
    assert lines[0] == "resources/load_mw [mW]"
    assert "b" in lines[1]
    assert "a" in lines[10]
    assert lines[-1].split() == ["a", "sat-01", "b", "sat-02"]
