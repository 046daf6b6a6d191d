"""Laws of the link shaper, whatever is offered to it."""

from __future__ import annotations

from math import sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.time import NS_PER_S
from flightos.drivers.shaper import BurstLoss, LinkShaper, ShaperDrop

frames = st.lists(st.tuples(st.integers(0, 10_000_000), st.integers(0, 20_000)), min_size=1, max_size=60)
"""(nanoseconds since the frame before, bytes)."""


def light_time(t_ns: int) -> int:
    """A distance that shrinks much faster than any satellite moves."""
    return 20_000_000 - t_ns // 3


@given(
    offered=frames, rate_bps=st.integers(1_000, 10**11), queue_bytes=st.integers(1, 100_000), seed=st.integers(0, 99)
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_order_rate_and_counters(
    offered: list[tuple[int, int]], rate_bps: int, queue_bytes: int, seed: int
) -> None:
    """Frames arrive in order, what leaves never exceeds rate or queue, and each is counted exactly once."""
    shaper = LinkShaper(
        rate_bps, 7, queue_bytes, light_time, lambda t_ns: t_ns // 4_000_000 % 5 != 3, 1 << 61, Random(seed)
    )
    now = last_due = accepted = accepted_bytes = 0
    drops = dict.fromkeys(ShaperDrop, 0)
    for gap, size in offered:
        now += gap
        free_from = max(now, shaper.state.busy_until_ns)
        verdict = shaper.offer(size, now)
        busy = shaper.state.busy_until_ns
        if isinstance(verdict, ShaperDrop):
            drops[verdict] += 1
        else:
            assert verdict >= last_due
            assert verdict >= busy + light_time(busy) + 7
            last_due = verdict
            accepted += 1
            accepted_bytes += size
        if busy > free_from:
            assert (busy - free_from) * rate_bps >= size * 8 * NS_PER_S
        assert (busy - now) * rate_bps <= (queue_bytes + 1) * 8 * NS_PER_S + len(offered) * rate_bps
    state = shaper.state
    assert (state.accepted_count, state.accepted_bytes) == (accepted, accepted_bytes)
    assert state.dropped_link_down_count == drops[ShaperDrop.LINK_DOWN]
    assert state.dropped_queue_full_count == drops[ShaperDrop.QUEUE_FULL]
    assert state.dropped_lost_count == drops[ShaperDrop.LOST]


@given(offered=frames, cut=st.integers(0, 60), seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_a_restored_shaper_goes_on_alike(offered: list[tuple[int, int]], cut: int, seed: int) -> None:
    """State and a fresh stream give the same verdicts as never having stopped."""

    def make() -> LinkShaper:
        burst = BurstLoss(1 << 60, 1 << 61, 1 << 62)
        return LinkShaper(10**9, 1, 0, lambda t: 5, lambda t: True, 1 << 59, Random(seed), burst)

    whole, parted = make(), make()
    now = 0
    for index, (gap, size) in enumerate(offered):
        now += gap
        if index == cut:
            state = parted.state
            parted = make()
            parted.restore(state)
        assert whole.offer(size, now) == parted.offer(size, now)


@pytest.mark.parametrize("ratio", [0.001, 0.05, 0.5])
def test_losses_within_binomial_bounds(ratio: float) -> None:
    """Of 20,000 frames the lost ones lie within 2.58 standard deviations (99 %) of the mean; the seed is fixed."""
    count = 20_000
    shaper = LinkShaper(10**9, 0, 0, lambda t: 0, lambda t: True, int(ratio * 2**63), Random(5))
    for index in range(count):
        shaper.offer(100, index * 1_000)
    deviation = sqrt(count * ratio * (1 - ratio))
    assert abs(shaper.state.dropped_lost_count - count * ratio) <= 2.58 * deviation


def test_bursts_have_the_length_of_the_channel() -> None:
    """Gilbert-Elliott: fades begin with 1 % and end with 10 % per frame: a tenth of the frames is lost, in runs of
    ten, where independent losses would come in runs of 1.1."""
    burst = BurstLoss(int(0.01 * 2**63), int(0.1 * 2**63), 1 << 63)
    shaper = LinkShaper(10**9, 0, 0, lambda t: 0, lambda t: True, 0, Random(3), burst)
    lost = [shaper.offer(100, index * 1_000) is ShaperDrop.LOST for index in range(50_000)]
    runs = sum(now and not before for before, now in zip([False, *lost], lost, strict=False))
    assert 0.07 < sum(lost) / len(lost) < 0.115
    assert 8.5 < sum(lost) / runs < 11.5
