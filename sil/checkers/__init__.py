"""Invariants judged on what a run left behind, the same for every way of running.

`check(evidence)` gives the violations; each has a name, a sentence and the node it concerns.
"""

from __future__ import annotations

from sil.checkers.evidence import Event, Evidence, Violation, load_evidence
from sil.checkers.verdict import check

__all__ = ["Event", "Evidence", "Violation", "check", "load_evidence"]
