"""What the status line and live.json say of a run, from events alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from flightos.ground.receive import Receiver
from sil.watching import Watch
from tests.unit.ground.synthetic_run import EPOCH_TAI_NS, NS, Spacecraft, document


def test_links_are_counted_by_pairs_whose_ends_both_say_so(tmp_path: Path) -> None:
    """Stations do not count; one end is not enough; lost is as good as closed; a dead satellite's own last word is
    not believed against its neighbour's."""
    receiver = Receiver(tmp_path, document(), EPOCH_TAI_NS, threaded=False)
    crafts = {node: Spacecraft(node) for node in (1, 2, 3, 1001)}

    def say(node: int, name: str, peer: int) -> int:
        receiver.umbilical(crafts[node].event(name, 5.0, peer_id=peer), 5 * NS)
        receiver.flush()
        return watch.look(5 * NS, 0).links_up

    watch = Watch(tmp_path, 3, 3, 100 * NS)
    assert watch.look(0, 0).links_up == 0
    assert say(1, "LINK_OPENED", 2) == 0
    assert say(1, "LINK_OPENED", 1001) == 0
    assert say(1001, "LINK_OPENED", 1) == 0
    assert say(2, "LINK_OPENED", 1) == 1
    assert say(2, "LINK_OPENED", 3) == 1
    assert say(3, "LINK_OPENED", 2) == 2
    assert say(2, "LINK_LOST", 3) == 1, "satellite 3 is dead and still says that the link is open"
    assert say(1, "LINK_CLOSED", 2) == 0
    assert say(2, "LINK_CLOSED", 1) == 0
    assert say(1, "LINK_OPENED", 2) == 0
    receiver.close()


def test_the_last_look_tells_the_mean_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between: since the look before. At the end: over the whole flight, and it stays so."""
    clock = {"s": 0.0}
    monkeypatch.setattr("sil.watching.time.monotonic", lambda: clock["s"])
    watch = Watch(tmp_path, 3, 3, 1_000 * NS)

    def speed(at_s: float, t_s: int) -> float:
        clock["s"] = at_s
        return watch.look(t_s * NS, 0).speed

    assert speed(4.0, 0) == 0.0, "processes start"
    assert speed(5.0, 100) == 100.0
    assert speed(6.0, 900) == 800.0
    assert speed(9.0, 1_000) == pytest.approx(1_000 / 5.0)
    assert speed(19.0, 1_000) == pytest.approx(200.0)
