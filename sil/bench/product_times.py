"""CPU seconds of a float32 matrix product and of its checksums, as JSON: `python -m sil.bench.product_times`.

A process of its own, because the number of threads of a BLAS is settled when it is loaded: whoever starts this sets it
to one (`ONE_THREAD`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

import numpy as np

from flightos.drivers.own_process import module_command, module_environment
from flightos.kernels import abft
from sil.bench.kernel_rows import SEED
from sil.bench.timing import cpu_s

GEMM_SIDE: Final = 1024
ONE_THREAD: Final = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL", "BLIS")}


def product_times(rounds: int) -> dict[str, float]:
    """Start this module: `gemm` the product by NumPy, `own` our checksums, `numpy` the same sums by NumPy."""
    done = subprocess.run(
        module_command("sil.bench.product_times", str(rounds)),
        env=module_environment() | ONE_THREAD,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    times: dict[str, float] = json.loads(done.stdout)
    return times


def measure(rounds: int) -> dict[str, float]:
    """The same, here."""
    generator = np.random.default_rng(SEED)
    a, b = (generator.standard_normal((GEMM_SIDE, GEMM_SIDE), np.float32) for _ in range(2))
    product = a @ b

    # Each right after a product, as in flight: the factors were just read, and the product just written.
    def own() -> None:
        abft.correct_float32(product, abft.expect_float32(a, b))

    def peer() -> None:
        rows, columns = a @ b.sum(axis=1), a.sum(axis=0) @ b
        np.abs(product.sum(axis=1) - rows).max()
        np.abs(product.sum(axis=0) - columns).max()

    def multiply() -> None:
        np.matmul(a, b, out=product)

    taken = cpu_s({"gemm": multiply, "own": own, "gemm again": multiply, "numpy": peer}, rounds)
    return {name: taken[name] for name in ("gemm", "own", "numpy")}


if __name__ == "__main__":
    assert os.environ.get("OPENBLAS_NUM_THREADS") == "1", "one thread is to be measured"
    print(json.dumps(measure(int(sys.argv[1]))))
