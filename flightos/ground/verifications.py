"""What nodes reported of the operator's commands (PUS 1), from the catalogue of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flightos.core.ids import OPERATOR_ID
from flightos.core.refusal import Refusal
from flightos.ground.archive import VERIFICATION_STAGES
from flightos.ground.inspect import Run

END_STAGES: Final = ("rejected", "start failed", "completed", "failed")
"""After one of these nothing more comes."""
_ORDER: Final = tuple(VERIFICATION_STAGES.values())
_COMMANDS: Final = """
SELECT spacecraft, command, sequence_count, group_concat(stage) AS stages, max(coalesce(refusal, 0)) AS refusal,
    max(t_tai_ns) AS last_tai_ns
FROM verifications WHERE path = 0 AND source = ? {more} GROUP BY spacecraft, command, sequence_count
ORDER BY min(rowid) DESC LIMIT ?"""


@dataclass(frozen=True)
class CommandReport:
    """One command: the stages that were reported, in their order, and the refusal by name (empty: none)."""

    node: str
    command: str
    t_s: float
    """Mission time of the last report."""
    stages: tuple[str, ...]
    refusal: str

    @property
    def is_over(self) -> bool:
        """True when nothing more will be reported."""
        return any(stage in END_STAGES for stage in self.stages)


def last_commands(run: Run, count: int) -> list[CommandReport]:
    """The operator's last commands, oldest first."""
    rows = run.catalogue(_COMMANDS.format(more=""), (OPERATOR_ID, count))
    return [_report(run, row) for row in reversed(rows)]


def report_of(run: Run, node_id: int, command: str, sequence_count: int) -> CommandReport:
    """What has been reported of one command; no stages while nothing has."""
    more = "AND spacecraft = ? AND command = ? AND sequence_count = ?"
    values = (OPERATOR_ID, node_id, command, sequence_count, 1)
    for row in run.catalogue(_COMMANDS.format(more=more), values):
        return _report(run, row)
    return CommandReport(run.names.get(node_id, str(node_id)), command, 0.0, (), "")


def _report(run: Run, row: dict[str, Any]) -> CommandReport:
    said = str(row["stages"]).split(",")
    refusal = int(row["refusal"])
    known = {int(one): one.name for one in Refusal}
    return CommandReport(
        node=run.names.get(row["spacecraft"], run.name_of(row["spacecraft"])),
        command=str(row["command"]),
        t_s=run.mission_s(row["last_tai_ns"]),
        stages=tuple(stage for stage in _ORDER if stage in said),
        refusal=known.get(refusal, f"refusal {refusal}") if refusal else "",
    )
