"""The registry: every bench is there, knows its contract, and a bench that cannot run says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module

import pytest

from flightos.commands.bench import run_benchmarks
from flightos.commands.endings import CommandEnded, Ending
from flightos.core.errors import InfrastructureError
from sil.bench import BENCHMARKS, Options, measure
from sil.bench.rows import Row


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_bench_is_a_module_with_a_measure(name: str) -> None:
    assert callable(import_module(f"sil.bench.{name}").measure)


def broken(error: Exception) -> Callable[[Options], Row]:
    def measure_nothing(options: Options) -> Row:
        raise error

    return measure_nothing


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError("no", name="simpy"), "the package 'simpy' is not installed"),
        (InfrastructureError("no room"), "did not run: no room"),
        (TypeError("a bug"), "did not run: TypeError: a bug"),
    ],
)
def test_a_bench_that_cannot_run_gives_a_row_that_says_so(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    monkeypatch.setattr("sil.bench.virtual_100.measure", broken(error))
    (row,) = measure("virtual_100", Options())
    assert row.skipped == reason


def test_the_machine_index_comes_first_and_has_no_goal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sil.bench.machine.ITERATIONS", 1_000)
    figure = Row(name="virtual_100", value=1.0, unit="x")
    monkeypatch.setattr("sil.bench.virtual_100.measure", lambda options: iter((figure,)))
    run_benchmarks("virtual_100", is_json=True, is_quick=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == ["machine_index", "virtual_100"]
    assert rows[0]["value"] > 0
    assert rows[0]["goal"] is None


@pytest.mark.parametrize("is_json", [True, False])
def test_a_long_bench_has_one_line_a_row_and_a_summary_which_is_no_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_json: bool
) -> None:
    monkeypatch.setattr("sil.bench.machine.ITERATIONS", 1_000)
    figure = Row(
        name="kernel",
        value=1.0,
        unit="x",
        peer="other",
        ratio=2.0,
        goal=">= 3",
        detail={"limit": "copy", "limit_ratio": 0.5, "own_ms": 3.0},
    )
    monkeypatch.setattr("sil.bench.kernels.measure", lambda options: iter((figure,)))
    run_benchmarks("kernels", is_json=is_json, is_quick=True)
    said = capsys.readouterr()
    lines = said.out.splitlines()
    summary = ["0 goals met, 1 not met, 0 rows skipped", "  not met: kernel: 2 x other, goal >= 3"]
    if is_json:
        assert [json.loads(line)["name"] for line in lines] == ["machine_index", "kernel"]
        assert said.err.splitlines()[1:3] == summary
    else:
        assert [line.split()[0] for line in lines[:2]] == ["machine_index", "kernel"]
        assert lines[2:4] == summary


def test_an_unknown_benchmark_is_a_mistake_of_usage_that_lists_the_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CommandEnded) as ended:
        run_benchmarks("no_such", is_json=False, is_quick=True)
    assert ended.value.ending == Ending.USAGE
    assert "virtual_12" in capsys.readouterr().err


def test_quick_means_one_round() -> None:
    assert Options(is_quick=True).rounds(5) == 1
    assert Options().rounds(5) == 5
