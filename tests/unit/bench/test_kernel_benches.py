"""What the benches of the kernels measure with: limits, shares, peers that give the same results."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from flightos.apps.execution import execute
from flightos.apps.registry import describe
from flightos.apps.tiles import decode_tile
from flightos.core.errors import InfrastructureError
from flightos.core.ports import StartWork, WorkFailure
from flightos.kernels import integer, secded
from flightos.kernels.codecs import decode_image
from flightos.kernels.sight import pairs_in_sight
from sil.bench import (
    kernels,
    kernels_geometry,
    kernels_protection,
    kernels_workers,
    machine_limits,
    tile_steps,
)
from sil.bench.kernel_rows import Work, kernel_row, rate_row, rows_against, share_row, with_peer
from sil.bench.kernels_workers import Job, run_jobs, speedup
from sil.bench.machine_limits import Limits
from sil.bench.registry import Options
from sil.bench.rows import is_met

LIMITS = Limits(read=40.0, copy=50.0, triad=60.0, f32=200.0, f64=100.0, int8=1000.0, crc=30.0)


def test_without_the_c_kernels_there_is_one_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "backend", lambda: "numpy")
    (row,) = kernels.measure(Options())
    assert row.skipped is not None
    assert "not in use" in row.skipped


def test_the_binding_limit_is_the_one_that_takes_longest() -> None:
    """Bytes and operations go on at once; operations of both precisions share their units."""
    memory = Work(1.0, at_least={"read": 40e9, "f32": 100e9})
    assert memory.least_s(LIMITS) == ("read", 1.0)
    arithmetic = Work(1.0, at_least={"read": 4e9, "f32": 100e9, "f64": 100e9})
    assert arithmetic.least_s(LIMITS) == ("f32+f64", 1.5)
    assert Work(1.0, at_least={"f32": 1.0}).least_s(Limits(1.0, 1.0, 1.0)) is None
    assert Work(1.0).least_s(LIMITS) is None


def test_a_row_has_the_ratio_to_its_peer_and_the_share_of_its_limit() -> None:
    work = Work(10e9, at_least={"copy": 10e9})
    row = kernel_row("kernel", work, {"own": 0.5, "other": 1.0}, LIMITS, ">= 2")
    assert (row.value, row.ratio, row.peer, is_met(row)) == (20.0, 2.0, "other", True)
    share = share_row(row, ">= 0.5", "arithmetic")
    assert (share.name, share.value, is_met(share)) == ("kernel_of_copy", 0.4, False)
    assert share.detail["bound"] == "arithmetic"
    assert rate_row(row, ">= 30").name == "kernel_rate"
    alone = kernel_row("kernel", Work(10e9), {"own": 0.5}, LIMITS, ">= 2")
    assert (alone.ratio, alone.goal) == (None, None)
    assert share_row(alone, ">= 0.5").skipped == "the limit is not known here"


def test_every_peer_has_a_row_of_its_own_and_a_missing_one_is_told() -> None:
    def nothing() -> None:
        """Takes no time."""

    rows = list(
        rows_against(
            "kernel", Work(1.0), nothing, {"a": (nothing, None), "b c": (nothing, ">= 1")}, LIMITS, 1
        )
    )
    assert [(row.name, row.peer, row.goal) for row in rows] == [
        ("kernel", "a", None),
        ("kernel_vs_b_c", "b c", ">= 1"),
    ]
    module, (absent,) = with_peer("kernel", "no_such_library_here", ">= 1")
    assert module is None
    assert absent.skipped == "no_such_library_here is not installed"
    assert absent.goal == ">= 1"


def test_the_loops_of_the_limits_compile_and_run_here(tmp_path: Path) -> None:
    """Every limit that memory has is found; no copy is counted faster than arithmetic could be."""
    try:
        machine_limits.compile_loops(tmp_path)
    except OSError as error:
        pytest.skip(f"the limits of arithmetic are not known here: {error}")
    names = {row.name for row in machine_limits.rows(1)}
    assert names == {f"limit_{name}" for name in machine_limits.UNITS}
    limits = machine_limits.measured(1)
    assert limits.f32 > limits.f64 > 0.1
    assert min(limits.read, limits.copy, limits.triad) > 0.1


def forget_limits() -> None:
    """Whoever asks next measures again."""
    machine_limits.loops.cache_clear()
    machine_limits.measured.cache_clear()


def test_limits_are_measured_anew_beside_the_contenders(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop of 3 GB that takes as long as its contender, 0.5 s, goes at 6 GB/s; other limits stay."""

    def nothing() -> None:
        """Takes no time."""

    monkeypatch.setattr(machine_limits, "loops", lambda: ({"copy": machine_limits.Loop(nothing, 3e9)}, ""))
    monkeypatch.setattr(machine_limits, "cpu_s", lambda contenders, rounds: dict.fromkeys(contenders, 0.5))
    taken, limits = machine_limits.cpu_s_beside(LIMITS, ("copy", "f32"), {"own": nothing}, 1)
    assert taken == {"own": 0.5}
    assert (limits.copy, limits.read, limits.f32) == (6.0, LIMITS.read, LIMITS.f32)


def test_without_a_compiler_the_limits_of_arithmetic_are_skipped_loudly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setattr(machine_limits, "ARRAY_BYTES", 1 << 16)
    forget_limits()
    try:
        found = {row.name: row for row in machine_limits.rows(1)}
    finally:
        forget_limits()
    assert found["limit_f32"].skipped == "no C compiler"
    copy_rate = found["limit_copy"].value
    assert copy_rate is not None
    assert copy_rate > 0


def test_onnxruntime_gives_our_product() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    from sil.bench.onnx_product import Product

    stream = np.random.default_rng(1)
    left, right = (stream.integers(-128, 128, shape, np.int8) for shape in ((5, 40), (7, 40)))
    for is_shifted in (True, False):
        product = Product(onnxruntime, left, right, is_shifted).run()
        assert np.array_equal(product, integer.multiply(left, right))


class InlineWorkers:
    """Stands for `ForkedWorkers`: runs each step when its result is wanted, and remembers how many were under way."""

    def __init__(self) -> None:
        self.waiting: dict[int, tuple[StartWork, tuple[bytes, ...]]] = {}
        self.most = 0

    def start(self, work: StartWork, inputs: tuple[bytes, ...], hang: bool) -> None:
        self.waiting[work.work_id] = work, inputs
        self.most = max(self.most, len(self.waiting))

    def result(self, work_id: int) -> bytes | WorkFailure:
        work, inputs = self.waiting.pop(work_id)
        done = execute(work.app, work.step, work.parameters, inputs)
        return done.result if done.failure is None else done.failure


def test_jobs_are_answered_in_order_with_so_many_under_way() -> None:
    jobs = [Job("loop", msgspec.msgpack.encode([count]), ()) for count in range(1, 6)]
    answers = []
    for count in (1, 2, 9):
        workers = InlineWorkers()
        answers.append(run_jobs(workers, jobs, count))  # type: ignore[arg-type]
        assert workers.most == min(count, len(jobs))
    assert answers[0] == answers[1] == answers[2]
    assert len(set(answers[0])) == len(jobs)
    with pytest.raises(InfrastructureError, match="REFUSED"):
        run_jobs(InlineWorkers(), [Job("no such step", b"", jobs[0].inputs)], 1)  # type: ignore[arg-type]


def test_the_tiles_make_up_the_image() -> None:
    """Focused tile by tile the radar image is the one focused at once, and a compressed tile comes back."""
    assert describe(tile_steps.DESCRIPTION.name) is tile_steps.DESCRIPTION
    jobs = kernels_workers.focus_jobs()
    side, around = kernels_workers.FOCUS_SIDE, kernels_workers.TILES_A_SIDE
    place = msgspec.msgpack.decode(jobs[0].parameters, type=tile_steps.FocusParameters)
    whole = msgspec.structs.replace(place, side=2 * side)
    image = np.frombuffer(
        tile_steps.run_step("focus", msgspec.msgpack.encode(whole), jobs[0].inputs), np.complex64
    )
    for index, (row, col) in {0: (0, 0), around + 1: (1, 1)}.items():
        job = jobs[index]
        tile = np.frombuffer(tile_steps.run_step(job.step, job.parameters, job.inputs), np.complex64)
        part = image.reshape(2 * side, 2 * side)[row * side : (row + 1) * side, col * side : (col + 1) * side]
        # Places are sums of multiples of the spacing, which round differently: far below a wavelength.
        assert np.abs(tile.reshape(side, side) - part).max() <= 1e-4 * np.abs(part).max()
    compressed = kernels_workers.compress_jobs()[0]
    coded = tile_steps.run_step("compress", b"", compressed.inputs)
    header, pixels = decode_tile(compressed.inputs[0])
    assert len(coded) < header.raw_bytes
    assert decode_image(coded).astype("<u2").tobytes() == pixels


def test_the_speedup_is_that_of_the_quiet_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of three rounds count; the one in which the loop did not scale does not."""
    taken = {
        "loop on one": [1.0, 1.0, 1.0],
        "loop on two": [0.5, 0.9, 0.55],
        "one": [2.0, 2.0, 2.0],
        "two": [1.0, 2.0, 1.25],
    }
    monkeypatch.setattr(kernels_workers, "alternate", lambda contenders, rounds: taken)
    found = speedup(InlineWorkers(), kernels_workers.loop_jobs()[:1], 3)  # type: ignore[arg-type]
    assert (found.ratio, found.rounds) == (1.8, 2)
    row = kernels_workers.worker_row("workers", kernels_workers.loop_jobs(), found, ">= 1.8")
    assert is_met(row) is True
    assert "bound" not in row.detail


def test_the_tuned_peer_finds_the_same_pairs() -> None:
    direction = np.random.default_rng(1).normal(size=(130, 3))
    r_km = direction / np.linalg.norm(direction, axis=1, keepdims=True) * 6_928.0
    range_km, in_sight = kernels_geometry.tuned_pairs(r_km)
    own = pairs_in_sight(r_km, kernels_geometry.RADIUS_KM)
    assert np.abs(range_km - own.range_km).max() < 1e-3
    assert np.array_equal(in_sight, own.in_sight.astype(bool))


def test_the_tables_that_the_peer_gathers_from_give_the_check_bytes() -> None:
    by_byte, by_half = kernels_protection.check_tables()
    words = np.random.default_rng(2).integers(0, 2**64, 100, np.uint64)
    parts, halves = words.view(np.uint8).reshape(-1, 8), words.view(np.uint16).reshape(-1, 4)
    expected = secded.encode(words)
    for tables, places in ((by_byte, parts), (by_half, halves)):
        found = [tables[place][places[:, place]] for place in range(len(tables))]
        assert np.array_equal(np.bitwise_xor.reduce(found), expected)
