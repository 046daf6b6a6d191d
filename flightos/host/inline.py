"""Workers of virtual time: steps run in the calling process, when their answer is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from flightos.apps.execution import execute
from flightos.core.ports import StartWork, WorkFailure


class InlineWorkers:
    """The plainest way to satisfy `Workers`; a hang is never executed, because its answer is never asked for."""

    def __init__(self) -> None:
        self._works: dict[int, tuple[StartWork, tuple[bytes, ...]]] = {}

    def start(self, work: StartWork, inputs: Sequence[bytes], hang: bool) -> None:
        """Keep what is to be done."""
        self._works[work.work_id] = (work, tuple(inputs))

    def result(self, work_id: int) -> bytes | WorkFailure:
        """Do it now."""
        work, inputs = self._works.pop(work_id)
        done = execute(work.app, work.step, work.parameters, inputs)
        return done.result if done.failure is None else done.failure

    def abort(self, work_id: int) -> None:
        """Forget it."""
        self._works.pop(work_id, None)

    def close(self) -> None:
        """Nothing to leave behind."""
        self._works.clear()
