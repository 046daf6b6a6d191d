"""What a run must come to, flown in virtual time in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sil.scenarios.builder import build_plan
from sil.scenarios.loader import load_scenario
from sil.stops import Command
from sil.virtual.flight import VirtualFlight


class Reference(NamedTuple):
    """Hashes of a run."""

    trace_hash: str | None
    products_hash: str
    lives: int


def reference(
    scenario: str | Path,
    inputs: Path,
    seed: int = 1,
    duration_s: int | None = None,
    overrides: Mapping[str, str] | None = None,
    commands: Sequence[Command] = (),
) -> Reference:
    """Fly in virtual time; `inputs` takes the logs that restarts need."""
    plan = build_plan(load_scenario(str(scenario), overrides or {}), seed, duration_s)
    inputs.mkdir()
    outcome = VirtualFlight(plan, inputs, None, commands).run()
    return Reference(outcome.trace_hash(plan.tape.hash()), outcome.products_hash(), len(outcome.lives))
