"""The protection and integer kernels, each against its peer and against the memory limit of the same run.

One thread; times are medians of that thread's CPU time over alternating rounds; rates count every byte read
and written unless the row says "data". Buffers are larger than the caches, as images on board are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from binascii import crc_hqx
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from flightos.kernels import abft, crc, erasure, integer, isa_name, reference_protection, secded, voting
from flightos.kernels.frames import crc32c_batch
from sil.bench.registry import Options
from sil.bench.rows import Row, missing_peer, skipped
from sil.bench.statistics import alternate, median

MIB: Final = 1 << 20
GIGA: Final = 1e9
GEMM_SIDE: Final = 1024
SEED: Final = 11

# In its own process: the number of threads of a BLAS is settled when it is loaded.
_GEMM_SCRIPT: Final = f"""
import time, numpy as np
a = np.random.default_rng({SEED}).standard_normal(({GEMM_SIDE}, {GEMM_SIDE}), np.float32)
times = []
for _ in range(15):
    started = time.thread_time()
    a @ a.T.copy()
    times.append(time.thread_time() - started)
print(sorted(times)[7])
"""

Action = Callable[[], object]


def cpu_s(contenders: dict[str, Action], rounds: int) -> dict[str, float]:
    """Median CPU seconds of this thread for each contender, after one call to warm up."""

    def timed(action: Action) -> Callable[[], float]:
        def run() -> float:
            started_s = time.thread_time()
            action()
            return time.thread_time() - started_s

        return run

    for action in contenders.values():
        action()
    taken = alternate({name: timed(action) for name, action in contenders.items()}, rounds)
    return {name: max(median(values), 1e-9) for name, values in taken.items()}


def _random_bytes(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(SEED).integers(0, 256, shape, np.uint8)


def memory_limits(rounds: int) -> dict[str, float]:
    """GB/s that plain loops of NumPy reach: `read`, `copy` and `triad` (two streams read, one written)."""
    # Written to: pages that were never touched are all the same zeros in the cache.
    first, second, third = (np.ones(4 * MIB, np.float64) for _ in range(3))
    words = first.view(np.uint64)
    taken = cpu_s(
        {
            "read": lambda: np.bitwise_or.reduce(words),
            "copy": lambda: np.copyto(third, first),
            "triad": lambda: np.add(first, second, out=third),
        },
        rounds,
    )
    streams = {"read": 1, "copy": 2, "triad": 3}
    return {name: streams[name] * first.nbytes / taken[name] / GIGA for name in streams}


def _row(
    name: str,
    byte_count: float,
    taken: dict[str, float],
    goal: str | None,
    limit: tuple[str, float] | None = None,
    unit: str = "GB/s",
) -> Row:
    """A row from the times of `own` and one peer."""
    peer = next((key for key in taken if key != "own"), None)
    rate = byte_count / taken["own"] / GIGA
    detail: dict[str, float | str] = {"isa": isa_name()}
    if limit is not None:
        detail |= {"limit": limit[0], "limit_gb_per_s": limit[1], "limit_ratio": rate / limit[1]}
    ratio = taken[peer] / taken["own"] if peer else None
    return Row(name=name, value=rate, unit=unit, peer=peer, ratio=ratio, goal=goal, detail=detail)


def _share(name: str, row: Row, goal: str) -> Row:
    """The fraction of the memory limit that a row reaches, with a goal of its own."""
    share = row.detail["limit_ratio"]
    assert isinstance(share, float)
    return Row(name=name, value=share, unit="of limit", goal=goal, detail={"limit": row.detail["limit"]})


def _absolute(name: str, row: Row, goal: str) -> Row:
    """The rate of a row, with a goal of its own."""
    return Row(name=name, value=row.value, unit=row.unit, goal=goal)


def crcs(rounds: int, limits: dict[str, float]) -> Iterator[Row]:
    """CRC-32C over 64 MiB and over frames of a kilobyte; CRC-16."""
    data = _random_bytes(64 * MIB)
    frames = np.arange(0, 4 * MIB, 1024, dtype=np.uint64)
    spans = np.stack((frames, np.full_like(frames, 1024)), axis=1)
    pieces = [data[int(start) : int(start) + 1024].tobytes() for start in frames]
    own: dict[str, Action] = {"own": lambda: crc.crc32c(data.data)}
    own_frames: dict[str, Action] = {"own": lambda: crc32c_batch(data, spans)}
    missing = missing_peer("crc32c")
    if missing is None:
        peer: Any = import_module("crc32c")
        own["crc32c"] = lambda: peer.crc32c(data)
        own_frames["crc32c, frame by frame"] = lambda: [peer.crc32c(piece) for piece in pieces]
    else:
        yield skipped("kernel_crc32c_peer", "GB/s", missing, "crc32c", ">= 0.9")
    goal = ">= 0.9" if missing is None else None
    yield _row("kernel_crc32c", data.size, cpu_s(own, rounds), goal, ("read", limits["read"]))
    yield _row("kernel_crc32c_frames_1k", 4 * MIB, cpu_s(own_frames, rounds), None)
    part = data[: 4 * MIB]
    small: dict[str, Action] = {
        "own": lambda: crc.crc16(part.data),
        "binascii": lambda: crc_hqx(part.data, 0xFFFF),
    }
    yield _row("kernel_crc16", part.size, cpu_s(small, rounds), None)


def votes(rounds: int, limits: dict[str, float]) -> Iterator[Row]:
    """The majority of three copies of 32 MiB with a few upsets; the peer is NumPy without temporaries, and counts
    no faults."""
    first = _random_bytes(32 * MIB)
    second, third, out, spare = first.copy(), first.copy(), np.empty_like(first), np.empty_like(first)
    second[:: 4 * MIB] ^= 1

    def peer() -> None:
        np.bitwise_or(first, second, out=spare)
        np.bitwise_and(spare, third, out=spare)
        np.bitwise_and(first, second, out=out)
        np.bitwise_or(out, spare, out=out)

    triad = ("triad", limits["triad"])
    taken = cpu_s({"own": lambda: voting.vote(first, second, third, out), "numpy": peer}, rounds)
    row = _row("kernel_vote", 4 * first.size, taken, ">= 2.3", triad)
    yield row
    yield _share("kernel_vote_of_triad", row, ">= 0.9")
    taken = cpu_s({"own": lambda: voting.scrub(first, second, third)}, rounds)
    yield _row("kernel_vote_scrub", 3 * first.size, taken, None, ("read", limits["read"]))


def words(rounds: int, limits: dict[str, float]) -> Iterator[Row]:
    """SECDED over 8 MiB of data; the peer gathers from tables with NumPy."""
    data = _random_bytes(8 * MIB).view(np.uint64)
    checks = np.empty(data.size, np.uint8)
    contenders: dict[str, Action] = {
        "own": lambda: secded.encode(data, checks),
        "numpy": lambda: reference_protection.secded_encode(data, checks),
    }
    row = _row(
        "kernel_secded_encode",
        data.nbytes,
        cpu_s(contenders, rounds),
        ">= 20",
        ("read", limits["read"]),
        "GB/s data",
    )
    yield row
    yield _absolute("kernel_secded_encode_rate", row, ">= 3")
    scrub: dict[str, Action] = {
        "own": lambda: secded.scrub(data, checks),
        "numpy": lambda: reference_protection.secded_scrub(data, checks),
    }
    row = _row(
        "kernel_secded_scrub",
        data.nbytes,
        cpu_s(scrub, rounds),
        ">= 20",
        ("read", limits["read"]),
        "GB/s data",
    )
    yield row
    yield _absolute("kernel_secded_scrub_rate", row, ">= 3")


def shards(rounds: int, limits: dict[str, float]) -> Iterator[Row]:
    """Erasure code 8 + 4 over 8 MiB of data, with all four parities needed to decode."""
    data = _random_bytes(8, MIB)
    parity = erasure.encode(data, 4)
    is_present = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1], np.uint8)
    encode: dict[str, Action] = {"own": lambda: erasure.encode(data, 4, parity)}
    decode: dict[str, Action] = {"own": lambda: erasure.restore(data, parity, is_present)}
    missing = missing_peer("zfec")
    if missing is None:
        zfec: Any = import_module("zfec")
        blocks = [row.tobytes() for row in data]
        coded = zfec.Encoder(8, 12).encode(blocks)
        encode["zfec"] = lambda: zfec.Encoder(8, 12).encode(blocks)
        decode["zfec"] = lambda: zfec.Decoder(8, 12).decode(coded[4:], list(range(4, 12)))
    else:
        yield skipped("kernel_erasure_peer", "GB/s data", missing, "zfec", ">= 10")
    goal = ">= 10" if missing is None else None
    for name, contenders in (("encode", encode), ("restore", decode)):
        row = _row(f"kernel_erasure_{name}", data.size, cpu_s(contenders, rounds), goal, None, "GB/s data")
        yield row
        yield _absolute(f"kernel_erasure_{name}_rate", row, ">= 4")
    wide = _random_bytes(8, 8 * MIB)  # past the caches, so that the limit means something
    out = np.empty(wide.shape[1], np.uint8)
    sums: dict[str, Action] = {
        "own": lambda: erasure.xor_parity(wide, out),
        "numpy": lambda: np.bitwise_xor.reduce(wide, axis=0, out=out),
    }
    yield _row("kernel_xor_parity", wide.size + out.size, cpu_s(sums, rounds), None, ("read", limits["read"]))


def products(rounds: int) -> Iterator[Row]:
    """Checksums of a float32 product, and the int8 product."""
    generator = np.random.default_rng(SEED)
    a, b = (generator.standard_normal((GEMM_SIDE, GEMM_SIDE), np.float32) for _ in range(2))
    product = a @ b
    sums = abft.expect_float32(a, b)

    def peer() -> None:
        rows, columns = a @ b.sum(axis=1), a.sum(axis=0) @ b
        np.abs(product.sum(axis=1) - rows).max()
        np.abs(product.sum(axis=0) - columns).max()

    def own() -> None:
        abft.expect_float32(a, b)
        abft.correct_float32(product, sums)

    taken = cpu_s({"own": own, "numpy": peer}, 3 * rounds)
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _GEMM_SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    gemm_s = float(done.stdout)
    detail = {"check_ms": taken["own"] * 1e3, "gemm_ms": gemm_s * 1e3, "numpy_check_ms": taken["numpy"] * 1e3}
    yield Row(
        name="kernel_abft_overhead",
        value=taken["own"] / gemm_s,
        unit="of product",
        goal="<= 0.04",
        detail=detail,
    )

    left, right = (generator.integers(-128, 128, (GEMM_SIDE, GEMM_SIDE), np.int8) for _ in range(2))
    out = np.empty((GEMM_SIDE, GEMM_SIDE), np.int32)
    part = left[:64].astype(np.int32)
    wide = right.T.astype(np.int32)
    taken = cpu_s({"own": lambda: integer.multiply(left, right, out), "numpy": lambda: part @ wide}, rounds)
    taken["numpy"] *= GEMM_SIDE / len(part)  # the peer is so slow that a sixteenth of the rows must do
    yield _row("kernel_gemm_int8", 2.0 * GEMM_SIDE**3, taken, ">= 50", None, "GOP/s")


def quantisation(rounds: int, limits: dict[str, float]) -> Iterator[Row]:
    """16 channels of a mebivalue to int8 and back. Two peers: NumPy as one writes it, and NumPy tuned to make no
    temporaries, whose ratio is in the detail."""
    values = np.random.default_rng(SEED).standard_normal((16, MIB), np.float32)
    scale, zero_point = np.full(16, 0.03, np.float32), np.arange(16, dtype=np.int8)
    quantised, back = np.empty(values.shape, np.int8), np.empty_like(values)
    ratio, zeros = np.empty_like(values), zero_point.astype(np.float32)

    def plain() -> object:
        return np.clip(np.rint(values / scale[:, None]) + zeros[:, None], -128, 127).astype(np.int8)

    def tuned() -> None:
        np.divide(values, scale[:, None], out=ratio)
        np.rint(ratio, out=ratio)
        np.add(ratio, zeros[:, None], out=ratio)
        np.clip(ratio, -128, 127, out=ratio)
        np.copyto(quantised, ratio, casting="unsafe")

    def plain_back() -> object:
        return (quantised.astype(np.float32) - zeros[:, None]) * scale[:, None]

    def tuned_back() -> None:
        np.subtract(quantised, zeros[:, None], out=back)
        np.multiply(back, scale[:, None], out=back)

    own: Action = lambda: integer.quantise(values, scale, zero_point, quantised)  # noqa: E731
    own_back: Action = lambda: integer.dequantise(quantised, scale, zero_point, back)  # noqa: E731
    for name, contenders, goal in (
        ("kernel_quantise", {"own": own, "numpy": plain, "tuned": tuned}, ">= 6"),
        ("kernel_dequantise", {"own": own_back, "numpy": plain_back, "tuned": tuned_back}, None),
    ):
        taken = cpu_s(contenders, rounds)
        tuned_s = taken.pop("tuned")
        row = _row(name, 5 * values.size, taken, goal, ("copy", limits["copy"]))
        yield msgspec.structs.replace(
            row, detail={**row.detail, "ratio_to_tuned_numpy": tuned_s / taken["own"]}
        )


def measure(options: Options) -> Iterator[Row]:
    """All rows, as they come."""
    rounds = 3 if options.is_quick else 9
    limits = memory_limits(rounds)
    for name, rate in limits.items():
        yield Row(name=f"memory_{name}", value=rate, unit="GB/s", detail={"threads": 1})
    yield from crcs(rounds, limits)
    yield from votes(rounds, limits)
    yield from words(rounds, limits)
    yield from shards(rounds, limits)
    yield from products(rounds)
    yield from quantisation(rounds, limits)
