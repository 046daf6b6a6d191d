"""Matrix products with checksums, the int8 product and quantisation, against NumPy, OpenBLAS and onnxruntime.

One thread; times are medians of that thread's CPU time over alternating rounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from flightos.kernels import abft, integer
from sil.bench import machine_limits
from sil.bench.kernel_rows import MIB, SEED, Peers, Work, kernel_row, rows_against, with_peer
from sil.bench.machine_limits import Limits
from sil.bench.onnx_product import Product
from sil.bench.product_times import GEMM_SIDE, product_times
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.bench.timing import GIGA, Action, cpu_s

PEER_ROWS: Final = 64
"""Rows of NumPy's int32 product that are timed: it is so slow that a sixteenth must do."""
OVERHEAD_GOAL: Final = "<= 0.04"


def checksums(times: Mapping[str, float], limits: Limits) -> Iterator[Row]:
    """What the checksums of a float32 product cost beside the product itself, and beside NumPy's checksums."""
    byte_count = 3 * 4 * GEMM_SIDE**2
    yield overhead_row("kernel_abft_overhead", byte_count, times["own"], times["gemm"], limits)
    work = Work(byte_count, at_least={"read": byte_count})
    both = {"own": times["own"], "numpy": times["numpy"]}
    yield kernel_row("kernel_abft_check", work, both, limits, peer_allows_for_rounding="no")


def overhead_row(name: str, byte_count: int, check_s: float, product_s: float, limits: Limits) -> Row:
    """The checksums of a product beside the product; both factors and the product must at least be read."""
    read_s = byte_count / limits.read / GIGA
    return Row(
        name=name,
        value=check_s / product_s,
        unit="of product",
        goal=OVERHEAD_GOAL,
        detail={
            "limit": "read",
            "limit_ratio": read_s / check_s,
            "check_ms": check_s * 1e3,
            "product_ms": product_s * 1e3,
            "product_gop_per_s": 2.0 * GEMM_SIDE**3 / product_s / GIGA,
            "bound": f"reading factors and product once would be {read_s / product_s:.2g} of product",
        },
    )


def products(rounds: int, times: Mapping[str, float], limits: Limits) -> Iterator[Row]:
    """The int8 product, exact, and the checksums on it.

    The goals are against NumPy's int32 product and onnxruntime. NumPy's float32 product is exact as well as long as
    no sum passes 2^24, up to a depth of 1,024: so what a careful user of NumPy would take.
    """
    generator = np.random.default_rng(SEED)
    left, right = (generator.integers(-128, 128, (GEMM_SIDE, GEMM_SIDE), np.int8) for _ in range(2))
    out = np.empty((GEMM_SIDE, GEMM_SIDE), np.int32)
    part, wide = left[:PEER_ROWS].astype(np.int32), right.T.astype(np.int32)
    contenders: dict[str, Action] = {
        "own": lambda: integer.multiply(left, right, out),
        "numpy": lambda: part @ wide,
    }
    detail: dict[str, float | str] = {}
    onnxruntime, missing = with_peer("kernel_gemm_int8_vs_onnxruntime", "onnxruntime", ">= 0.25", "GOP/s")
    yield from missing
    if onnxruntime is not None:
        shifted = Product(onnxruntime, left, right, is_shifted=True)
        plain = Product(onnxruntime, left, right, is_shifted=False)
        assert np.array_equal(shifted.run(), integer.multiply(left, right)), "onnxruntime's product differs"
        contenders |= {"onnxruntime": shifted.run, "signed": plain.run}
        detail = {"version": str(onnxruntime.__version__), "peer_may_use_amx": has_amx()}
    taken, limits = machine_limits.cpu_s_beside(limits, ("int8",), contenders, rounds)
    operations = 2.0 * GEMM_SIDE**3
    work = Work(operations, "GOP/s", at_least={"int8": operations})
    own_s = taken["own"]
    slow_s = taken["numpy"] * GEMM_SIDE / PEER_ROWS
    yield kernel_row("kernel_gemm_int8", work, {"own": own_s, "numpy": slow_s}, limits, ">= 50")
    if onnxruntime is not None:
        both = {"own": own_s, "onnxruntime": taken["onnxruntime"]}
        detail["ratio_to_signed_activations"] = taken["signed"] / own_s
        yield kernel_row("kernel_gemm_int8_vs_onnxruntime", work, both, limits, ">= 0.25", "", **detail)
    yield kernel_row(
        "kernel_gemm_int8_vs_float32", work, {"own": own_s, "numpy float32": times["gemm"]}, limits
    )

    product, sums = integer.multiply(left, right), abft.expect_int8(left, right)

    def check() -> None:
        abft.expect_int8(left, right)
        abft.correct_int8(product, sums)

    check_s = cpu_s({"own": check}, rounds)["own"]
    yield overhead_row("kernel_abft_int8_overhead", 6 * GEMM_SIDE**2, check_s, own_s, limits)


def has_amx() -> str:
    """Whether this processor has the matrix instructions (Intel AMX) that onnxruntime uses and our kernel does not."""
    try:
        return "yes" if "amx_int8" in Path("/proc/cpuinfo").read_text() else "no"
    except OSError:
        return "not known"


def quantisation(rounds: int, limits: Limits) -> Iterator[Row]:
    """16 channels of a mebivalue to int8 and back. Two peers: NumPy as one writes it, and tuned to make no
    temporaries."""
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

    work = Work(5 * values.size, at_least={limits.hardest("copy"): 5 * values.size})
    there: Peers = {"numpy": (plain, ">= 6"), "tuned numpy": (tuned, ">= 6")}
    own: Action = lambda: integer.quantise(values, scale, zero_point, quantised)  # noqa: E731
    yield from rows_against("kernel_quantise", work, own, there, limits, rounds)
    again: Peers = {"numpy": (plain_back, ">= 6"), "tuned numpy": (tuned_back, ">= 6")}
    own_back: Action = lambda: integer.dequantise(quantised, scale, zero_point, back)  # noqa: E731
    yield from rows_against("kernel_dequantise", work, own_back, again, limits, rounds)


def measure(options: Options) -> Iterator[Row]:
    """All rows, as they come."""
    rounds = 3 if options.is_quick else 9
    limits = machine_limits.measured(rounds)
    times = product_times(3 * rounds)
    yield from checksums(times, limits)
    yield from products(rounds, times, limits)
    yield from quantisation(rounds, limits)
