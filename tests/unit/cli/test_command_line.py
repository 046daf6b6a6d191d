"""The command line as a user meets it: exit status, where text goes, what is said about mistakes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from flightos.cli import main
from flightos.commands.doctor import DISK_FREE_BYTES_MIN, examine
from flightos.commands.endings import CommandEnded, Ending, endings
from flightos.commands.operate import find_command, find_node, parse_arguments
from flightos.commands.runs import find_run, known_runs, new_run_folder
from flightos.commands.status_line import StatusLine, clock_text, status_text
from flightos.core.dictionary import CommandDefinition, FieldDefinition
from flightos.core.errors import ConfigError, InfrastructureError
from flightos.node.dictionary import service_dictionaries
from flightos.node.routes import ROUTES
from sil.progress import Progress

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def flightos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["flightos", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


def test_the_program_starts_quickly_and_loads_little() -> None:
    """--help imports neither numpy nor what subcommands need."""
    code = "import sys, flightos.cli; print(sorted({'numpy', 'duckdb', 'zmq', 'pydantic', 'sgp4'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_several_mistakes_end_in_status_2_and_start_nothing(flightos: Command, tmp_path: Path) -> None:
    """All of them on stderr, nothing on stdout, no run folder."""
    done = flightos("run", "three_body", "--virtual", "--set", "topology=rung", "--set", "power.buss_w=1")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "did you mean 'ring'?" in done.stderr
    assert "did you mean 'bus_w'?" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_scenario_lists_the_known_ones(flightos: Command, tmp_path: Path) -> None:
    """Status 2 and every shipped name."""
    done = flightos("run", "four_body")
    assert done.returncode == 2
    assert all(path.stem in done.stderr for path in (ROOT / "sil" / "scenarios").glob("*.toml"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "three_body", "--virtual", "--processes"),
        ("run", "three_body", "--virtual", "--wall"),
        ("run", "three_body", "--wall", "--speed", "2"),
        ("run", "three_body", "--speed", "fast"),
        ("run", "three_body", "--seed", "-1"),
        ("run", "three_body", "--set", "duration_s"),
        ("fly",),
    ],
)
def test_options_that_make_no_sense_end_in_status_2(
    arguments: tuple[str, ...], flightos: Command, tmp_path: Path
) -> None:
    """And start nothing."""
    done = flightos(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "three_body", "--virtual", "--operator-log", "no.log"),
        ("run", "three_body", "--virtual", "--set", "payload.image=no.tif"),
        ("run", "three_body", "--virtual", "--out", "/proc/nowhere"),
    ],
)
def test_missing_files_and_bad_folders_end_in_status_3(
    arguments: tuple[str, ...], flightos: Command, tmp_path: Path
) -> None:
    """With the reason."""
    done = flightos(*arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: ")


def test_commands_without_a_run_say_so(flightos: Command, tmp_path: Path) -> None:
    """Status 2 and what to do."""
    done = flightos("status")
    assert done.returncode == 2
    assert "flightos run three_body" in done.stderr


def test_a_virtual_run_gives_one_json_object_and_a_private_folder(flightos: Command, tmp_path: Path) -> None:
    """The contract of --json: every field is there, and the folder opens with status and tlm."""
    done = flightos("run", "string_of_three", "--virtual", "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    wanted = (
        *(
            "run_dir",
            "scenario",
            "mode",
            "seed",
            "sim_s",
            "wall_s",
            "speedup",
            "trace_hash",
            "products_hash",
            "nodes",
        ),
        *(
            "tasks_submitted",
            "tasks_done",
            "tasks_dropped",
            "tasks_lost",
            "products_delivered",
            "bytes_sensed",
        ),
        *("bytes_downlinked", "bundles_lost", "events_by_severity", "invariant_violations", "passed"),
    )
    assert [name for name in wanted if name not in summary] == []
    assert (summary["passed"], summary["tasks_lost"], summary["seed"]) == (True, 0, 3)
    folder = tmp_path / summary["run_dir"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    status = flightos("status", "--json")
    assert json.loads(status.stdout)["state"] == "passed"
    samples = flightos("tlm", "show", "1/resources/soc_ratio", "--last", "2", "--json")
    assert len(samples.stdout.splitlines()) == 2


def test_the_newest_run_is_meant_when_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the time of its manifest, not by its name."""
    monkeypatch.chdir(tmp_path)
    for age_s, name in ((5, "z-first"), (1, "a-second")):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}", encoding="utf-8")
        os.utime(folder / "manifest.json", (1_000_000 - age_s, 1_000_000 - age_s))
    assert find_run(None).name == "a-second"
    assert find_run(Path("z-first")) == Path("runs/z-first")
    assert [run.name for run in known_runs()] == ["z-first", "a-second"]
    with pytest.raises(ConfigError, match="z-first, a-second"):
        find_run(Path("b-third"))


def test_two_runs_of_one_second_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gets a folder of its own, private; a folder with files in it is refused."""
    monkeypatch.chdir(tmp_path)
    folders = {new_run_folder("ring", 7, None) for _ in range(3)}
    assert len(folders) == 3
    assert all(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in folders)
    assert new_run_folder("ring", 7, tmp_path / "mine") == tmp_path / "mine"
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(ConfigError, match="--out"):
        new_run_folder("ring", 7, tmp_path / "mine")


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (ConfigError(["a", "b"]), Ending.USAGE),
        (InfrastructureError("no port"), Ending.INFRASTRUCTURE),
        (OSError(28, "No space left on device"), Ending.INFRASTRUCTURE),
        (KeyboardInterrupt(), Ending.INTERRUPTED),
        (ModuleNotFoundError("No module named 'duckdb'", name="duckdb"), Ending.INFRASTRUCTURE),
    ],
)
def test_each_kind_of_error_has_its_status(
    error: BaseException, ending: Ending, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says something on stderr only."""
    with pytest.raises(CommandEnded) as caught, endings():
        raise error
    assert caught.value.ending == ending
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err != ""


def test_doctor_finds_this_machine_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fault here; a folder path that is too long for a socket is one."""
    findings = {finding.name: finding for finding in examine()}
    assert [name for name, finding in findings.items() if finding.verdict == "fault"] == []
    assert DISK_FREE_BYTES_MIN > 0
    monkeypatch.setattr("tempfile.tempdir", "/tmp/" + "x" * 120)
    assert {finding.name: finding.verdict for finding in examine()}["endpoints"] == "fault"


class Screen:
    """A stream that is, or is not, a terminal."""

    def __init__(self, is_terminal: bool) -> None:
        self.text = ""
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def fileno(self) -> int:
        raise OSError("no file")


PROGRESS = Progress(900 * 10**9, 1_800 * 10**9, 11, 1, 10, 12, 30, 64, 7, 29.6, True)


def test_the_status_line_says_what_was_asked_for() -> None:
    """Progress, mission time, nodes, links, tasks, products."""
    text = status_text(PROGRESS, has_colour=False)
    for part in (
        "50%",
        "0:15:00/0:30:00",
        "x30",
        "11 ok 1 fault",
        "links 10/12",
        "tasks 30/64",
        "products 7",
    ):
        assert part in text
    assert clock_text(3_661 * 10**9) == "1:01:01"


def test_without_a_terminal_no_control_characters_are_written() -> None:
    """A log of a run stays readable."""
    screen = Screen(is_terminal=False)
    with StatusLine(screen) as line:  # type: ignore[arg-type]
        line(PROGRESS)
    assert "\x1b" not in screen.text
    assert "first telemetry" in screen.text


def test_on_a_terminal_the_line_stays_in_place_and_no_color_is_respected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line, rewritten; no colour codes when NO_COLOR is set."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen(is_terminal=True)
    with StatusLine(screen) as line:  # type: ignore[arg-type]
        line(PROGRESS)
    assert "\r\x1b[2K" in screen.text
    assert "\x1b[3" not in screen.text
    assert screen.text.endswith("\n")


COMMAND = CommandDefinition(
    0x0F01,
    "TurnKnob",
    "Turn a knob",
    (
        FieldDefinition("angle_deg", "i16", range_min=-90, range_max=90),
        FieldDefinition("mode", "u8", enum=((1, "SLOW"), (2, "FAST"))),
        FieldDefinition("is_hard", "bool"),
        FieldDefinition("why", "text"),
    ),
)


def test_arguments_of_a_command_are_parsed_by_their_types() -> None:
    """Numbers, names of an enumeration, booleans and text."""
    values = parse_arguments(COMMAND, ["angle_deg=-45", "mode=fast", "is_hard=yes", "why=a=b"])
    assert values == {"angle_deg": -45, "mode": 2, "is_hard": True, "why": "a=b"}


def test_all_faults_of_a_command_are_listed() -> None:
    """Unknown, malformed, doubled and missing arguments at once."""
    with pytest.raises(ConfigError) as caught:
        parse_arguments(COMMAND, ["angel_deg=3", "mode=sideways", "why", "is_hard=1", "is_hard=0"])
    said = "\n".join(caught.value.faults)
    for part in ("did you mean 'angle_deg'", "one of SLOW, FAST", "why: expected key=value", "given twice"):
        assert part in said
    assert "angle_deg: missing" in said


def test_commands_and_nodes_are_found_by_name_or_offered() -> None:
    """The nearest right name when there is none."""
    dictionaries = service_dictionaries()
    assert find_command("scheduling.RequestObservation", dictionaries).id == 0x0501
    with pytest.raises(ConfigError, match=r"did you mean 'scheduling\.RequestObservation'"):
        find_command("scheduling.RequestObservations", dictionaries)
    nodes = [{"node_id": 3, "name": "sat-03"}]
    assert find_node("3", nodes) == find_node("sat-03", nodes) == 3
    with pytest.raises(ConfigError, match="sat-03"):
        find_node("sat-4", nodes)


def test_the_printed_routing_table_is_the_one_that_is_flown(flightos: Command) -> None:
    """Every record with its receivers, in order; names of records are unique."""
    flown = {record.__name__: list(receivers) for record, receivers in ROUTES.items()}
    assert len(flown) == len(ROUTES)
    assert json.loads(flightos("dictionary", "--routes", "--json").stdout) == flown
    rows = [line.split() for line in flightos("dictionary", "--routes").stdout.splitlines()]
    assert {name: [] if receivers == ["-"] else receivers for name, *receivers in rows} == flown


def test_an_unknown_app_is_a_fault_of_the_scenario(flightos: Command, tmp_path: Path) -> None:
    """With the nearest right name, before anything flies."""
    done = flightos("run", "three_body", "--virtual", "--set", "payload.app=surface_wach")
    assert done.returncode == 2
    assert "payload.app: unknown app 'surface_wach'; did you mean 'surface_watch'?" in done.stderr
    assert flightos("run", "three_body", "--virtual", "--set", "payload.app=no.such.app").returncode == 2
    assert list(tmp_path.iterdir()) == []
