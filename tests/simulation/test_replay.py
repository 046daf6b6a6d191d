"""The same run twice is the same run; what is not the same is found and named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from flightos.core.errors import InfrastructureError
from flightos.core.ports import PowerSampled
from flightos.core.time import NS_PER_S
from flightos.host.keeping import read_log
from sil.diff import diff
from sil.folder import RunFolder
from sil.plan import NodeCrash, StuckSensor
from sil.rerun import rerun
from tests.simulation.simulate import Simulated, simulate

pytestmark = pytest.mark.simulation

DURATION_S = 150
CRASH = NodeCrash(2, 70 * NS_PER_S, 20 * NS_PER_S)
_FRESH = """
import sys
from pathlib import Path
from tests.simulation.simulate import simulate
from tests.simulation.test_replay import CRASH, DURATION_S
run = simulate("string_of_three", 11, DURATION_S, Path(sys.argv[1]), [CRASH])
print(run.trace_hash, run.outcome.products_hash(), run.folder.manifest["kernels"])
"""


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """A run in which satellite 2 dies and comes back."""
    return simulate("string_of_three", 11, DURATION_S, tmp_path_factory.mktemp("runs"), [CRASH])


def test_same_seed_gives_the_same_run(flown: Simulated, tmp_path: Path) -> None:
    """Equal hash, and no differing event."""
    again = simulate("string_of_three", 11, DURATION_S, tmp_path, [CRASH])
    assert again.trace_hash == flown.trace_hash
    assert again.outcome.products_hash() == flown.outcome.products_hash()
    report = diff(flown.folder.path, again.folder.path)
    assert report.is_same, report.lines


@pytest.mark.parametrize(("hash_seed", "kernels"), [("1", ""), ("77", "numpy")])
def test_fresh_process_gives_the_same_run(
    flown: Simulated, tmp_path: Path, hash_seed: str, kernels: str
) -> None:
    """Neither the hash seed of Python nor the kernels change a bit."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    if kernels:
        environment["FLIGHTOS_KERNELS"] = kernels
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _FRESH, str(tmp_path)],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    trace_hash, products_hash, used = done.stdout.split(maxsplit=2)
    assert (trace_hash, products_hash) == (flown.trace_hash, flown.outcome.products_hash())
    if kernels:
        assert used.startswith("numpy")


def test_every_life_re_executes_to_its_chain(flown: Simulated) -> None:
    """Satellites, station and mission control; the restarted satellite in both of its lives."""
    assert flown.folder.boots(2) == [0, 1]
    for node_id in flown.folder.node_ids():
        report = rerun(flown.folder.path, node_id)
        assert report.is_equal, report.lines()
        assert all(life.chain == life.chain_recorded for life in report.lives)


def _rewrite(run: Path, node_id: int, change_index: int, entry: bytes | None) -> None:
    """Put another entry in the place of one of a log, or take it out."""
    path = run / "inputs" / f"{node_id}.0.log"
    header, entries = read_log(run / "inputs", node_id, 0)
    encode = msgspec.msgpack.encode
    parts = [encode(one) for one in entries]
    parts[change_index : change_index + 1] = [] if entry is None else [entry]
    path.write_bytes(encode(header) + b"".join(parts))


def test_changed_log_entry_is_found(flown: Simulated, tmp_path: Path) -> None:
    """One millionth of charge in one sample of second 60: the replay parts there and nowhere before."""
    run = tmp_path / "run"
    shutil.copytree(flown.folder.path, run)
    _, entries = read_log(run / "inputs", 3, 0)
    index = [i for i, (_, entry) in enumerate(entries) if isinstance(entry, PowerSampled)][60]
    obt_ns, sample = entries[index]
    assert isinstance(sample, PowerSampled)
    changed = msgspec.structs.replace(sample, soc_ratio_e6=sample.soc_ratio_e6 - 1)
    _rewrite(run, 3, index, msgspec.msgpack.encode((obt_ns, changed)))
    report = rerun(run, 3)
    assert report.is_equal is False
    assert f"on-board second {obt_ns // NS_PER_S}" in report.lives[0].difference
    assert rerun(run, 1).is_equal


def test_missing_wake_up_is_found(flown: Simulated, tmp_path: Path) -> None:
    """A wake-up that the log lacks is one that the node asks for."""
    run = tmp_path / "run"
    shutil.copytree(flown.folder.path, run)
    _, entries = read_log(run / "inputs", 3, 0)
    index = [i for i, (_, entry) in enumerate(entries) if isinstance(entry, int)][200]
    _rewrite(run, 3, index, None)
    report = rerun(run, 3)
    assert report.is_equal is False
    assert "entry" in report.lives[0].difference


def test_diff_names_the_first_event(tmp_path: Path) -> None:
    """Two runs that differ in one stuck sensor part at its first frozen sample, in the field that is frozen."""
    plain = simulate("string_of_three", 12, 60, tmp_path, [])
    stuck = StuckSensor(2, "power", 30 * NS_PER_S, 40 * NS_PER_S)
    faulty = simulate("string_of_three", 12, 60, tmp_path, [stuck])
    report = diff(plain.folder.path, faulty.folder.path)
    assert not report.is_same
    assert report.parting is not None
    assert report.parting.node_id == 2
    assert 30 * NS_PER_S <= report.parting.mission_ns < 40 * NS_PER_S
    assert report.parting.what.startswith("PowerSampled: ")
    assert report.lines[-1] == report.parting.line()


def test_diff_of_two_seeds_says_so(flown: Simulated, tmp_path: Path) -> None:
    """Seed, configuration and the first event are named."""
    other = simulate("string_of_three", 13, DURATION_S, tmp_path, [CRASH])
    report = diff(flown.folder.path, other.folder.path)
    assert not report.is_same
    assert any(line.startswith("seed differs: 11 in A, 13 in B") for line in report.lines)
    assert report.parting is not None
    assert report.parting.mission_ns < NS_PER_S


def test_killed_run_opens(flown: Simulated, tmp_path: Path) -> None:
    """Without trace and with a torn last entry the folder opens, says it was killed, and its nodes re-execute as
    far as their logs go."""
    run = tmp_path / "run"
    shutil.copytree(flown.folder.path, run)
    for name in ("trace", "trace.hash", "summary.json"):
        (run / name).unlink(missing_ok=True)
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "state": "running", "pid": 0}))
    log = run / "inputs" / "1.0.log"
    log.write_bytes(log.read_bytes()[:-3])
    assert RunFolder.open(run).state() == "killed"
    report = rerun(run, 1)
    assert report.is_equal is None
    assert report.lives[0].entry_count > 0
    with pytest.raises(InfrastructureError, match="no input log of node 77"):
        rerun(run, 77)
