"""A short virtual run from a saved plan, on whatever machine this is; one line of JSON says how it went.

`fly.py make FOLDER SCENARIO SEED DURATION_S` makes the plan, where the libraries for that are installed;
`fly.py fly FOLDER` flies it with what a board has.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib import import_module
from pathlib import Path


def make(folder: Path, scenario: str, seed: int, duration_s: int) -> None:
    """Save the plan and its tape."""
    from sil.processes.plan_file import save_plan
    from sil.scenarios.builder import build_plan
    from sil.scenarios.loader import load_scenario

    folder.mkdir(parents=True, exist_ok=True)
    save_plan(build_plan(load_scenario(scenario), seed, duration_s), folder)


def fly(folder: Path) -> dict[str, object]:
    """Fly the plan; its hashes, and on what they were made."""
    from flightos.kernels import backend, isa_name
    from sil.processes.plan_file import load_plan
    from sil.virtual.flight import VirtualFlight

    plan = load_plan(folder)
    outcome = VirtualFlight(plan, None, None).run()
    return {
        "machine": platform.machine(),
        "kernels": backend(),
        "isa": isa_name(),
        "numpy_features": numpy_features(),
        "products": len(outcome.accepted),
        "records": outcome.record_count,
        "trace_hash": outcome.trace_hash(plan.tape.hash()),
        "products_hash": outcome.products_hash(),
        "wall_s": round(outcome.wall_s, 2),
    }


def numpy_features() -> list[str]:
    """Processor features beyond its baseline that NumPy uses in this process."""
    numpy_core = import_module("numpy._core._multiarray_umath")
    enabled: dict[str, bool] = numpy_core.__cpu_features__
    return [name for name in numpy_core.__cpu_dispatch__ if enabled.get(name, False)]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", folder_name, scenario_name, seed_text, duration_text]:
            make(Path(folder_name), scenario_name, int(seed_text), int(duration_text))
        case ["fly", folder_name]:
            print(json.dumps(fly(Path(folder_name))))
        case ["numpy-features"]:
            print(" ".join(numpy_features()))
        case _:
            sys.exit(__doc__)
