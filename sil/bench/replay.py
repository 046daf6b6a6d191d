"""The same seed in virtual time and as granted processes: equal hashes, and no invariant violated."""

from __future__ import annotations

from collections.abc import Iterator

from sil.bench.flights import plan_of, scratch
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.flight import fly

SEED_COUNT = 20
QUICK_SEED_COUNT = 3
DURATION_S = 600


def measure(options: Options) -> Iterator[Row]:
    """replay_equal, replay_violations."""
    seeds = range(1, 1 + (QUICK_SEED_COUNT if options.is_quick else SEED_COUNT))
    unequal: list[int] = []
    violated: list[int] = []
    violations = 0
    hashes: list[str] = []
    for seed in seeds:
        plan = plan_of("three_body", DURATION_S, seed)
        with scratch() as folder:
            virtual = fly(plan, "virtual", folder / "virtual")
            processes = fly(plan, "processes", folder / "processes")
        hashes.append(str(virtual["trace_hash"]))
        is_equal = virtual["trace_hash"] is not None and all(
            virtual[name] == processes[name] for name in ("trace_hash", "products_hash")
        )
        if not is_equal:
            unequal.append(seed)
        found = int(virtual["invariant_violations"]) + int(processes["invariant_violations"])
        if found:
            violated.append(seed)
        violations += found
    detail = {
        "seeds": len(seeds),
        "sim_s_each": DURATION_S,
        "flights": 2 * len(seeds),
        "distinct_hashes": len(set(hashes)),
    }
    yield Row(
        name="replay_equal",
        value=100.0 * (len(seeds) - len(unequal)) / len(seeds),
        unit="% of seeds",
        goal=">= 100",
        detail={**detail, "unequal_seeds": " ".join(map(str, unequal)) or "none"},
    )
    yield Row(
        name="replay_violations",
        value=float(violations),
        unit="violations",
        goal="<= 0",
        detail={**detail, "seeds_with_violations": " ".join(map(str, violated)) or "none"},
    )
