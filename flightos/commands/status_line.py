"""The live line of `flightos run`: one line that stays in place on a terminal, one line now and then elsewhere."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import IO, Final

from sil.progress import Progress

_REFRESH_S: Final = 0.25
_PLAIN_PERIOD_S: Final = 10.0
_BAR_CELLS: Final = 24


class StatusLine:
    """Callable with a Progress; a context manager that leaves the terminal as it was."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        """Watch on `stream` (default stderr); colour only on a terminal without NO_COLOR."""
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._has_colour = self._is_terminal and not os.environ.get("NO_COLOR")
        self._shown_s = 0.0
        self._started_s = time.monotonic()
        self._has_telemetry = False
        self._unshown: Progress | None = None

    def __enter__(self) -> StatusLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._unshown is not None:
            self._show(self._unshown)
        if self._is_terminal and self._shown_s:
            self._stream.write("\n")
            self._stream.flush()

    def __call__(self, progress: Progress) -> None:
        """Show the progress when it is time to."""
        now_s = time.monotonic()
        is_end = progress.t_mission_ns >= progress.duration_ns
        if progress.is_first_telemetry and not self._has_telemetry:
            self._has_telemetry = True
            self._write_line(f"first telemetry after {now_s - self._started_s:.1f} s")
        period_s = _REFRESH_S if self._is_terminal else _PLAIN_PERIOD_S
        if not is_end and now_s - self._shown_s < period_s:
            self._unshown = progress
            return
        self._shown_s = now_s
        self._show(progress)

    def _show(self, progress: Progress) -> None:
        self._unshown = None
        if self._is_terminal:
            self._stream.write("\r\x1b[2K" + self._cut(status_text(progress, self._has_colour)))
            self._stream.flush()
        else:
            self._write_line(status_text(progress, has_colour=False))

    def _write_line(self, text: str) -> None:
        self._stream.write(("\r\x1b[2K" if self._is_terminal else "") + text + "\n")
        self._stream.flush()

    def _cut(self, text: str) -> str:
        """No wider than the terminal: a wrapped line could not be rewritten in place."""
        try:
            width = os.get_terminal_size(self._stream.fileno()).columns
        except OSError:
            return text
        return text if self._has_colour or len(text) < width else text[: width - 1]


def status_text(progress: Progress, has_colour: bool) -> str:
    """The line: bar, mission time, speed, nodes, links, tasks, products."""
    ratio = min(1.0, progress.t_mission_ns / max(1, progress.duration_ns))
    full = round(ratio * _BAR_CELLS)
    bar = "█" * full + "░" * (_BAR_CELLS - full)
    fault = f"{progress.nodes_fault} fault"
    if has_colour:
        bar = f"\x1b[36m{bar}\x1b[0m"
        fault = f"\x1b[31m{fault}\x1b[0m" if progress.nodes_fault else fault
    return (
        f"{bar} {ratio:4.0%}  {clock_text(progress.t_mission_ns)}/{clock_text(progress.duration_ns)}"
        f"  x{progress.speed:.0f}  nodes {progress.nodes_ok} ok {fault}"
        f"  links {progress.links_up}/{progress.links_total}"
        f"  tasks {progress.tasks_done}/{progress.tasks_total}  products {progress.products}"
    )


def clock_text(time_ns: int) -> str:
    """Mission time as h:mm:ss."""
    minutes, seconds = divmod(time_ns // 1_000_000_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
