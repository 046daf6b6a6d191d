"""What one core of this machine can do at most: the denominators of `flightos bench kernels`.

limits.c is compiled here, for exactly this machine, when a C compiler is there; NumPy's own loops are measured too, and
the faster counts. Without a compiler the limits of memory are NumPy's, and those of arithmetic are not known. One
thread; medians of its CPU time.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sil.bench.rows import Row, skipped
from sil.bench.timing import GIGA, Action, cpu_s

SOURCE: Final = Path(__file__).with_name("limits.c")
ARRAY_BYTES: Final = 64 << 20
"""Of each stream: more than the caches hold."""
ALIGNMENT_BYTES: Final = 64
STEPS: Final = 200_000
"""Of the arithmetic loops: some milliseconds."""
COMPILER_S_MAX: Final = 60
CHOICE_ROUNDS: Final = 3
"""In which the faster of two loops is found."""
STREAMS: Final[Mapping[str, int]] = {
    "read": 1,
    "copy": 2,
    "triad": 3,
    "copy_streamed": 2,
    "triad_streamed": 3,
}


@dataclass(frozen=True)
class Limits:
    """Rates of this core in units of 10^9 a second; 0 where not known.

    Memory, bytes read and written: `read`, `copy`, `triad` (two streams read, one written), the faster of the library
    and a plain loop; `copy_streamed`, `triad_streamed`: stores past the caches, which spare reading a line before it is
    written, so a kernel that has them can exceed the plain ones. Arithmetic, multiplications and additions that are
    not fused, as in our kernels: `f32`, `f64`; products and additions of int8: `int8`. `crc`: bytes through the
    processor's CRC-32C instruction.
    """

    read: float
    copy: float
    triad: float
    copy_streamed: float = 0.0
    triad_streamed: float = 0.0
    f32: float = 0.0
    f64: float = 0.0
    int8: float = 0.0
    crc: float = 0.0

    def of(self, name: str) -> float:
        """The rate of one of them."""
        return float(getattr(self, name))

    def hardest(self, name: str) -> str:
        """The name of the copy or triad that is fastest here: with stores past the caches, where they are known."""
        return max((name, f"{name}_streamed"), key=self.of)


UNITS: Final[Mapping[str, str]] = {
    "read": "GB/s",
    "copy": "GB/s",
    "triad": "GB/s",
    "copy_streamed": "GB/s",
    "triad_streamed": "GB/s",
    "f32": "GFLOP/s",
    "f64": "GFLOP/s",
    "int8": "GOP/s",
    "crc": "GB/s",
}


def compile_loops(folder: Path) -> ctypes.CDLL:
    """Compile limits.c into a folder and load it. Raises OSError with the reason."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise OSError("no C compiler")
    target = folder / "limits.so"
    native = "-mcpu=native" if os.uname().machine == "aarch64" else "-march=native"
    flags = ("-O3", native, "-ffp-contract=off", "-fPIC", "-shared")
    command = [compiler, *flags, str(SOURCE), "-o", str(target)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=COMPILER_S_MAX,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{compiler} takes more than {COMPILER_S_MAX} s") from error
    if done.returncode != 0:
        raise OSError(f"{compiler} refuses limits.c: {done.stderr.strip().splitlines()[0]}")
    return ctypes.CDLL(str(target))


def _streams() -> list[NDArray[np.uint8]]:
    """Three arrays, aligned and written to: pages that were never touched are all the same zeros in the cache."""
    arrays = []
    for _ in range(3):
        whole = np.ones(ARRAY_BYTES + ALIGNMENT_BYTES, np.uint8)
        offset = -whole.ctypes.data % ALIGNMENT_BYTES
        arrays.append(whole[offset : offset + ARRAY_BYTES])
    return arrays


@dataclass(frozen=True)
class Loop:
    """A loop that does one thing as fast as it goes, and how much: bytes read and written, or operations."""

    action: Action
    amount: float


def _memory_loops(library: ctypes.CDLL | None) -> dict[str, Loop]:
    """The faster of NumPy's loop and the plain one, for each kind of traffic."""
    first, second, third = _streams()
    floats = [array.view(np.float64) for array in (first, second, third)]
    actions: dict[tuple[str, str], Action] = {
        ("read", "numpy"): lambda: np.bitwise_or.reduce(first.view(np.uint64)),
        ("copy", "numpy"): lambda: np.copyto(floats[2], floats[0]),
        ("triad", "numpy"): lambda: np.add(floats[0], floats[1], out=floats[2]),
    }
    if library is not None:
        # Not the bare address: these keep the arrays, which nobody else may.
        a, b, c = (array.ctypes.data_as(ctypes.c_void_p) for array in (first, second, third))
        count = ctypes.c_size_t(ARRAY_BYTES // int(library.limit_vector_bytes()))
        known: Any = library
        actions |= {
            ("read", "loop"): lambda: known.limit_read(a, count),
            ("copy", "loop"): lambda: known.limit_copy(a, c, count),
            ("triad", "loop"): lambda: known.limit_triad(a, b, c, count),
            ("copy_streamed", "loop"): lambda: known.limit_copy_streamed(a, c, count),
            ("triad_streamed", "loop"): lambda: known.limit_triad_streamed(a, b, c, count),
        }
    taken = cpu_s(actions, CHOICE_ROUNDS)
    slowest_first = sorted(actions, key=lambda key: -taken[key])
    return {key[0]: Loop(actions[key], float(STREAMS[key[0]] * ARRAY_BYTES)) for key in slowest_first}


def _arithmetic_loops(library: ctypes.CDLL) -> dict[str, Loop]:
    known: Any = library
    known.limit_f32.argtypes = [ctypes.c_uint64, ctypes.c_float, ctypes.c_float]
    known.limit_f64.argtypes = [ctypes.c_uint64, ctypes.c_double, ctypes.c_double]
    known.limit_int8.argtypes = [ctypes.c_uint64] * 3
    known.limit_crc32c.argtypes = [ctypes.c_uint64] * 2
    actions: dict[str, tuple[Action, int]] = {
        "f32": (lambda: known.limit_f32(STEPS, 0.5, 0.25), known.limit_f32_operations()),
        "f64": (lambda: known.limit_f64(STEPS, 0.5, 0.25), known.limit_f64_operations()),
        "int8": (lambda: known.limit_int8(STEPS, 0x0305, 0x0507), known.limit_int8_operations()),
        "crc": (lambda: known.limit_crc32c(STEPS, 0x0123_4567_89AB_CDEF), known.limit_crc32c_bytes()),
    }
    return {name: Loop(action, float(STEPS * each)) for name, (action, each) in actions.items() if each}


@cache
def loops() -> tuple[Mapping[str, Loop], str]:
    """The loops by the limit that they measure, and why those in C are missing, or ""."""
    with tempfile.TemporaryDirectory(prefix="fos-limits-") as folder:
        try:
            library = compile_loops(Path(folder))
        except OSError as error:
            return _memory_loops(None), str(error)
    return {**_memory_loops(library), **_arithmetic_loops(library)}, ""


@cache
def measured(rounds: int) -> Limits:
    """The limits by themselves, measured once in a process."""
    known, _ = loops()
    return _with_rates(
        Limits(0.0, 0.0, 0.0), cpu_s({name: loop.action for name, loop in known.items()}, rounds)
    )


def cpu_s_beside(
    limits: Limits, names: Collection[str], contenders: Mapping[str, Action], rounds: int
) -> tuple[dict[str, float], Limits]:
    """Like `cpu_s`, and the limits of these names anew, from loops timed in the same rounds.

    Other programs use the memory too, so that a limit measured a minute ago is none.
    """
    known, _ = loops()
    beside = {f"limit {name}": known[name].action for name in names if name in known}
    taken = cpu_s({**contenders, **beside}, rounds)
    anew = {name: taken[f"limit {name}"] for name in names if name in known}
    return {key: taken[key] for key in contenders}, _with_rates(limits, anew)


def _with_rates(limits: Limits, taken: Mapping[str, float]) -> Limits:
    known, _ = loops()
    rates = {name: known[name].amount / seconds / GIGA for name, seconds in taken.items()}
    return replace(limits, **rates)


def rows(rounds: int) -> Iterator[Row]:
    """The limits themselves, so that a reader can judge the fractions."""
    limits, (_, reason) = measured(rounds), loops()
    for name, unit in UNITS.items():
        rate = limits.of(name)
        if rate > 0:
            yield Row(name=f"limit_{name}", value=rate, unit=unit, detail={"threads": 1})
        else:
            yield skipped(f"limit_{name}", unit, reason or "this processor has no instruction for it")
