"""The link shaper on single frames."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from flightos.drivers.shaper import LinkShaper, ShaperDrop


def shaper(
    rate_bps: int = 8_000,
    queue_bytes: int = 0,
    is_up: Callable[[int], bool] = lambda t_ns: True,
    loss: int = 0,
) -> LinkShaper:
    """A link of one byte per millisecond, 12 ms long, with modems of 10 ms."""
    stream = Random(1) if loss else None
    return LinkShaper(rate_bps, 10_000_000, queue_bytes, lambda t_ns: 12_000_000, is_up, loss, stream)


def test_due_time_is_serialisation_light_time_and_modem() -> None:
    """100 bytes take 100 ms; the next frame waits for them."""
    link = shaper()
    assert link.offer(100, 5) == 5 + 122_000_000
    assert link.offer(50, 5) == 5 + 172_000_000


def test_a_pause_frees_the_link() -> None:
    """After the link fell idle, a frame starts at once."""
    link = shaper()
    link.offer(100, 0)
    assert link.offer(1, 300_000_000) == 300_000_000 + 1_000_000 + 22_000_000


def test_serialisation_is_rounded_up() -> None:
    """One byte at 3 bit/ns takes 2 2/3 ns: three whole ones."""
    link = LinkShaper(3 * 10**9, 0, 0, lambda t_ns: 0, lambda t_ns: True)
    assert link.offer(1, 0) == 3


def test_the_queue_is_bounded_in_bytes() -> None:
    """What waits and what is being sent count; what has left does not."""
    link = shaper(queue_bytes=150)
    assert isinstance(link.offer(100, 0), int)
    assert link.offer(51, 0) is ShaperDrop.QUEUE_FULL
    assert not isinstance(link.offer(50, 0), ShaperDrop)
    assert not isinstance(link.offer(100, 100_000_000), ShaperDrop)
    assert link.state.dropped_queue_full_count == 1


def test_nothing_passes_a_closed_link() -> None:
    """What counts is the moment at which a frame has left; a dropped one does not use the link."""
    link = shaper(is_up=lambda t_ns: t_ns < 150_000_000)
    assert not isinstance(link.offer(100, 0), ShaperDrop)
    assert link.offer(100, 0) is ShaperDrop.LINK_DOWN
    assert not isinstance(link.offer(10, 0), ShaperDrop)
    assert link.offer(1, 150_000_000) is ShaperDrop.LINK_DOWN
    assert link.state.dropped_link_down_count == 2
    assert link.state.accepted_count == 2


def test_a_lost_frame_uses_the_link() -> None:
    """Certain loss: nothing arrives, the link is busy all the same."""
    link = shaper(loss=1 << 63)
    assert link.offer(100, 0) is ShaperDrop.LOST
    assert link.state.busy_until_ns == 100_000_000


def test_chance_without_a_stream_is_a_bug() -> None:
    """A threshold needs a named stream."""
    with pytest.raises(AssertionError):
        LinkShaper(1, 0, 0, lambda t_ns: 0, lambda t_ns: True, 1)
