"""One call that flies a scenario in virtual time and judges it: what the simulation tests are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flightos.ground.dictionary import current_document
from flightos.ground.receive import Receiver
from sil.checkers import Evidence, Violation, check, load_evidence
from sil.folder import RunFolder, RunOptions
from sil.outcome import Outcome
from sil.plan import Fault, RunPlan
from sil.scenarios.builder import build_plan
from sil.scenarios.loader import load_scenario
from sil.summary import make_summary
from sil.virtual.flight import VirtualFlight


@dataclass(frozen=True)
class Simulated:
    """A run that was flown, with everything that judges it."""

    plan: RunPlan
    outcome: Outcome
    folder: RunFolder
    evidence: Evidence
    violations: Sequence[Violation]
    summary: dict[str, Any]

    @property
    def trace_hash(self) -> str | None:
        """Hash of the run."""
        return self.outcome.trace_hash(self.plan.tape.hash())


def simulate(
    scenario: str,
    seed: int,
    duration_s: int | None,
    parent: Path,
    faults: Sequence[Fault] | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Simulated:
    """Fly a shipped scenario in virtual time, with archive and input logs; `faults` take the place of its own."""
    plan = build_plan(load_scenario(scenario, overrides), seed, duration_s)
    if faults is not None:
        plan = replace(plan, faults=tuple(faults))
    document = current_document()
    folder = RunFolder.create(
        _new(parent, f"{scenario}-{seed}"), plan, RunOptions("virtual", dictionary=document)
    )
    receiver = Receiver(folder.path, document, plan.epoch_tai_ns, threaded=False)
    try:
        outcome = VirtualFlight(plan, folder.inputs, receiver).run()
    finally:
        receiver.close()
    folder.finish(plan, outcome)
    evidence = load_evidence(folder.path, plan, outcome)
    violations = check(evidence)
    summary = make_summary(evidence, violations, folder.manifest, folder.path)
    folder.write_summary(summary)
    return Simulated(plan, outcome, folder, evidence, violations, summary)


def _new(parent: Path, name: str) -> Path:
    """A folder that is not there yet."""
    number = len(list(parent.glob(f"{name}.*"))) if parent.exists() else 0
    return parent / f"{name}.{number}"
