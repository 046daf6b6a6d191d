"""All invariants of a run, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sil.checkers.contacts import no_frame_over_closed_contact
from sil.checkers.evidence import Evidence, Violation
from sil.checkers.invariants import accepted_once, archive_is_complete, starts_above_floor, stays_above_floor
from sil.checkers.products import products_are_right
from sil.checkers.tasks import make_ledger


def _tasks(evidence: Evidence) -> list[Violation]:
    return make_ledger(evidence).violations


INVARIANTS: Final[tuple[Callable[[Evidence], list[Violation]], ...]] = (
    _tasks,
    accepted_once,
    products_are_right,
    starts_above_floor,
    stays_above_floor,
    no_frame_over_closed_contact,
    archive_is_complete,
)


def check(evidence: Evidence) -> list[Violation]:
    """Everything that did not hold, in the order of INVARIANTS."""
    return [violation for invariant in INVARIANTS for violation in invariant(evidence)]
