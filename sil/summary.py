"""What a run comes to: the object that `flightos run --json` prints, and whether the run has passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from flightos.core.configuration import Role
from flightos.core.dictionary import Severity
from flightos.core.time import NS_PER_S
from sil.checkers.evidence import Evidence, Violation, load_evidence
from sil.checkers.products import ReferenceReport, compare_with_reference
from sil.checkers.tasks import Ledger, TaskCounts, make_ledger
from sil.checkers.verdict import check
from sil.folder import RunFolder
from sil.outcome import Outcome
from sil.plan import Criteria, RunPlan

VIOLATIONS_SHOWN_MAX: Final = 100


class Criterion(msgspec.Struct, frozen=True):
    """One thing that was asked of the run."""

    name: str
    expected: str
    measured: str
    passed: bool


def summarise(plan: RunPlan, folder: RunFolder, outcome: Outcome) -> dict[str, Any]:
    """Judge a run from its folder and give the object of ARCHITECTURE.md, section 7; the caller keeps it."""
    evidence = load_evidence(folder.path, plan, outcome)
    return make_summary(evidence, check(evidence), folder.manifest, folder.path)


def make_summary(
    evidence: Evidence, violations: Sequence[Violation], manifest: Mapping[str, Any], run_dir: Path
) -> dict[str, Any]:
    """The object; `manifest` gives mode, speed and wall."""
    plan, outcome = evidence.plan, evidence.outcome
    ledger = make_ledger(evidence)
    counts = ledger.counts
    reference = compare_with_reference(evidence)
    sensed = sum(event.number("size_bytes") for event in evidence.named("OBSERVATION_IMAGED"))
    downlinked = product_bytes_downlinked(evidence)
    criteria = judge(
        plan, counts, len(violations), len(evidence.products), (downlinked, sensed), reference, outcome
    )
    sim_s = outcome.end_ns / NS_PER_S
    return {
        "run_dir": str(run_dir),
        "scenario": plan.scenario,
        "mode": manifest.get("mode"),
        "wall": manifest.get("wall", False),
        "seed": plan.seed,
        "sim_s": sim_s,
        "wall_s": outcome.wall_s,
        "speedup": sim_s / outcome.wall_s if outcome.wall_s > 0 else None,
        "trace_hash": outcome.trace_hash(plan.tape.hash()),
        "not_repeatable": outcome.not_repeatable,
        "products_hash": outcome.products_hash(),
        "nodes": sum(1 for node in plan.nodes if node.role == Role.SATELLITE),
        "stations": sum(1 for node in plan.nodes if node.role == Role.STATION),
        "lives": len(outcome.lives),
        "records": outcome.record_count,
        "tasks_submitted": counts.submitted,
        "tasks_done": counts.done,
        "tasks_dropped": counts.dropped,
        "tasks_open": counts.open,
        "tasks_lost": counts.lost,
        **_observation_counts(ledger),
        "products_delivered": len(evidence.products),
        "bytes_sensed": sensed,
        "bytes_downlinked": downlinked,
        "telemetry_bytes_downlinked": evidence.total("acceptance/downlink_bytes"),
        "bundles_lost": _bundles_lost(evidence),
        "frames_dropped": outcome.frames_dropped_count,
        "frames_to_dead": outcome.frames_to_dead_count,
        # Most upsets strike memory that holds no tile and no result at that moment: nothing is there to be found.
        "upsets_struck": outcome.notes.get("upsets_struck", 0),
        "upsets_hit_work": outcome.upsets_hit_count,
        "upsets_found": evidence.total("compute/corrupt_count"),
        "events_by_severity": {
            severity.name: sum(1 for event in evidence.events if event.severity == severity)
            for severity in Severity
        },
        "reference": None if reference is None else msgspec.to_builtins(reference),
        "invariant_violations": len(violations),
        "violations": [msgspec.to_builtins(one) for one in violations[:VIOLATIONS_SHOWN_MAX]],
        "criteria": [msgspec.to_builtins(one) for one in criteria],
        "lateness_us": outcome.notes.get("lateness_us"),
        "interrupted": outcome.interrupted,
        "passed": all(one.passed for one in criteria) and not outcome.interrupted,
    }


def product_bytes_downlinked(evidence: Evidence) -> int:
    """Product bytes that came down: accepted ones, and those that arrived again.

    Repetitions are reported at most once a second by node, but counted; those without a report weigh as much as the
    largest product.
    """
    sizes = {product.content_id: len(product.data or b"") for product in evidence.products}
    again = [str(event.fields["content_id"]) for event in evidence.named("PRODUCT_DUPLICATED")]
    unreported = max(0, evidence.total("acceptance/products_duplicated") - len(again))
    largest = max(sizes.values(), default=0)
    return sum(sizes.values()) + sum(sizes.get(name, largest) for name in again) + unreported * largest


def judge(
    plan: RunPlan,
    counts: TaskCounts,
    violation_count: int,
    product_count: int,
    volumes: tuple[int, int],
    reference: ReferenceReport | None,
    outcome: Outcome,
) -> list[Criterion]:
    """Every criterion of the plan, asked or implied; `volumes` are bytes downlinked and sensed."""
    wanted: Criteria = plan.criteria
    downlinked, sensed = volumes
    criteria = [
        Criterion(
            "tasks_lost",
            f"<= {wanted.tasks_lost_max}",
            str(counts.lost),
            counts.lost <= wanted.tasks_lost_max,
        ),
        Criterion(
            "invariant_violations",
            f"<= {wanted.invariant_violations_max}",
            str(violation_count),
            violation_count <= wanted.invariant_violations_max,
        ),
    ]
    if wanted.products_min is not None:
        passed = product_count >= wanted.products_min
        criteria.append(
            Criterion("products_delivered", f">= {wanted.products_min}", str(product_count), passed)
        )
        if wanted.products_min >= len(plan.tiles):
            criteria.append(Criterion("tasks_open", "0", str(counts.open), counts.open == 0))
    if wanted.downlink_ratio_max is not None:
        ratio = downlinked / sensed if sensed else 0.0
        passed = ratio <= wanted.downlink_ratio_max
        criteria.append(
            Criterion("downlink_ratio", f"<= {wanted.downlink_ratio_max}", f"{ratio:.4f}", passed)
        )
    if wanted.reference_exact:
        measured = "no products" if reference is None else reference.text
        passed = reference is not None and reference.is_exact
        criteria.append(Criterion("reference_exact", "products reproduce the whole image", measured, passed))
    if outcome.invalid:
        criteria.append(Criterion("lateness", "within its limit", outcome.invalid, False))
    return criteria


def _observation_counts(ledger: Ledger) -> dict[str, int]:
    observations = ledger.observations.values()
    return {
        "observations_imaged": sum(1 for one in observations if one.imaged_tai_ns is not None),
        "observations_admitted": sum(1 for one in observations if one.is_admitted),
        "observations_completed": sum(1 for one in observations if one.is_completed),
        "observations_dropped": sum(1 for one in observations if one.is_dropped and not one.is_completed),
    }


def _bundles_lost(evidence: Evidence) -> int:
    """Bundles given up by whoever held them: lifetime over, too many hops, bytes gone."""
    causes = ("dropped_lifetime_count", "dropped_hop_limit_count", "dropped_missing_count")
    return sum(evidence.total(f"network/{cause}") for cause in causes)
