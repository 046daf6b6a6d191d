"""A flipped bit in what a worker gave back is found at the door, before anybody builds on it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flightos.apps.interface import STEP_FINISH
from flightos.apps.sealed import seal
from flightos.apps.tiles import TileHeader
from flightos.core.ports import StartWork, UpsetStruck, WorkFailed, WorkFailure, WorkFinished
from flightos.core.records import Record
from flightos.host.host import NodeHost
from sil.members import Start, make_host
from sil.scenarios.builder import build_plan
from sil.scenarios.loader import load_scenario

RESULT = seal(b"TEST", TileHeader(1, 0, 0, 0, 1, 1, ("red",), "uint8", 1000), b"result")
ODD_SELECTOR = 1
"""An odd selector strikes the result, an even one an input."""


class GivesResult:
    """Workers that answer every piece of work with RESULT."""

    def start(self, work: StartWork, inputs: Sequence[bytes], hang: bool) -> None:
        """Nothing to begin."""

    def result(self, work_id: int) -> bytes | WorkFailure:
        """The same for all."""
        return RESULT

    def abort(self, work_id: int) -> None:
        """Nothing to kill."""

    def close(self) -> None:
        """Nothing to leave behind."""


@pytest.mark.parametrize("is_struck", [False, True])
def test_an_upset_in_a_result_is_found(is_struck: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Struck: WorkFailed with CORRUPT_RESULT. Not struck: the result."""
    plan = build_plan(load_scenario("string_of_three"), 1, 60)
    host: NodeHost = make_host(plan, plan.nodes[0], GivesResult(), None, Start())
    told: list[Record] = []

    def accept(record: Record, now_obt_ns: int) -> Sequence[Record]:
        told.append(record)
        return ()

    monkeypatch.setattr(host.node, "accept", accept)
    host._start_work(StartWork(7, "surface_watch", STEP_FINISH, b"", (), 1_000, 2_000, False), 0)
    if is_struck:
        host._strike(UpsetStruck(ODD_SELECTOR, 12_345))
    host._finish_work(7, 1_000)
    if is_struck:
        assert told == [WorkFailed(7, WorkFailure.CORRUPT_RESULT)]
    else:
        assert [type(record) for record in told][-1] is WorkFinished
