"""LinkShaper: what one direction of one link does to frames, decided at the sender (sans-I/O).

Theory of operation. The sender knows everything that decides a frame's fate: how much is queued before it, whether
there is light between the ends, how far the other end is, and the draw that loses it. So the sender decides, once,
the same in every way of running, and the frame carries its due time. A frame waits until those before it have left
(serialisation at the link's rate, rounded up to the nanosecond, so that the rate is never exceeded), then takes the
light time of the moment it has left, plus one modem latency. There must be light at that moment, or the frame is
dropped without using the link. Frames do not overtake each other. A lost frame uses the link like any other.

Losses come from a named random stream, 63 bits a draw, compared with integer thresholds (threshold = probability
times 2^63), so that no floating point decides. With `BurstLoss` the link is a Gilbert-Elliott channel (Gilbert 1960,
Elliott 1963): it changes between clear and faded with every frame, and each has its own threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final, Protocol

import msgspec

from flightos.core.time import NS_PER_S

DRAW_BITS: Final = 63


class ShaperDrop(IntEnum):
    """Why a frame never arrives."""

    LINK_DOWN = 1
    QUEUE_FULL = 2
    LOST = 3


class RandomStream(Protocol):
    """A named source of chance, such as `random.Random` made from (seed, node, name, boot)."""

    def getrandbits(self, k: int, /) -> int:
        """An integer of `k` random bits."""
        ...


class BurstLoss(msgspec.Struct, frozen=True):
    """A Gilbert-Elliott channel; thresholds are probabilities per frame times 2^63."""

    fade_threshold: int
    """From clear to faded ..."""
    clear_threshold: int
    """... and back."""
    faded_loss_threshold: int
    """Loss of a frame while faded; while clear the shaper's own threshold counts."""


class ShaperState(msgspec.Struct):
    """Everything that a shaper remembers; `draw_count` places it in its random stream."""

    busy_until_ns: int = 0
    last_due_ns: int = 0
    is_faded: bool = False
    draw_count: int = 0
    accepted_count: int = 0
    accepted_bytes: int = 0
    dropped_link_down_count: int = 0
    dropped_queue_full_count: int = 0
    dropped_lost_count: int = 0


class LinkShaper:
    """One direction of one link. Times are mission nanoseconds and must not go backwards between offers.

    `light_time_ns` and `is_up` are functions of mission time. `queue_bytes_max` bounds what waits or is being
    sent; 0 is no bound (a wire). A stream is needed as soon as a threshold is above 0.
    """

    def __init__(
        self,
        rate_bps: int,
        modem_latency_ns: int,
        queue_bytes_max: int,
        light_time_ns: Callable[[int], int],
        is_up: Callable[[int], bool],
        loss_threshold: int = 0,
        stream: RandomStream | None = None,
        burst: BurstLoss | None = None,
    ) -> None:
        assert rate_bps > 0
        assert 0 <= loss_threshold <= 1 << DRAW_BITS
        assert stream is not None or (loss_threshold == 0 and burst is None)
        self._rate_bps = rate_bps
        self._modem_latency_ns = modem_latency_ns
        self._queue_bytes_max = queue_bytes_max
        self._light_time_ns = light_time_ns
        self._is_up = is_up
        self._loss_threshold = loss_threshold
        self._stream = stream
        self._burst = burst
        self._draws = loss_threshold > 0 or burst is not None
        self.state = ShaperState()

    def offer(self, size_bytes: int, t_mission_ns: int) -> int | ShaperDrop:
        """The mission time at which a frame offered now reaches the peer, or why it never does."""
        state = self.state
        start_ns = state.busy_until_ns if state.busy_until_ns > t_mission_ns else t_mission_ns
        if self._queue_bytes_max:
            backlog_bytes = (start_ns - t_mission_ns) * self._rate_bps // (8 * NS_PER_S)
            if backlog_bytes + size_bytes > self._queue_bytes_max:
                state.dropped_queue_full_count += 1
                return ShaperDrop.QUEUE_FULL
        left_ns = start_ns - (-size_bytes * 8 * NS_PER_S // self._rate_bps)
        if not self._is_up(left_ns):
            state.dropped_link_down_count += 1
            return ShaperDrop.LINK_DOWN
        state.busy_until_ns = left_ns
        if self._draws and self._is_lost():
            state.dropped_lost_count += 1
            return ShaperDrop.LOST
        due_ns = left_ns + self._light_time_ns(left_ns) + self._modem_latency_ns
        if due_ns < state.last_due_ns:
            due_ns = state.last_due_ns
        state.last_due_ns = due_ns
        state.accepted_count += 1
        state.accepted_bytes += size_bytes
        return due_ns

    def restore(self, state: ShaperState) -> None:
        """Go on from a state; the stream, which must be fresh, is brought to its place."""
        self.state = state
        if self._stream is not None:
            for _ in range(state.draw_count):
                self._stream.getrandbits(DRAW_BITS)

    def _is_lost(self) -> bool:
        threshold = self._loss_threshold
        burst = self._burst
        if burst is not None:
            state = self.state
            if state.is_faded:
                state.is_faded = not self._draw_below(burst.clear_threshold)
            else:
                state.is_faded = self._draw_below(burst.fade_threshold)
            if state.is_faded:
                threshold = burst.faded_loss_threshold
        return threshold > 0 and self._draw_below(threshold)

    def _draw_below(self, threshold: int) -> bool:
        assert self._stream is not None
        self.state.draw_count += 1
        return self._stream.getrandbits(DRAW_BITS) < threshold
