"""Flies a plan, in virtual time or as processes, into a run folder, and judges it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from flightos.ground.dictionary import current_document
from flightos.ground.receive import Receiver
from sil.folder import RunFolder, RunOptions
from sil.outcome import Outcome
from sil.plan import RunPlan
from sil.progress import OnProgress, ignore_progress
from sil.stops import OPERATOR_LOG, Command, read_commands, write_commands
from sil.summary import summarise
from sil.virtual.flight import VirtualFlight
from sil.watching import Watch, live_record

LOOK_S: Final = 0.5


def fly(
    plan: RunPlan,
    mode: str,
    out: Path,
    speed: float | None = None,
    wall: bool = False,
    operator_log: Path | None = None,
    progress: OnProgress = ignore_progress,
) -> dict[str, Any]:
    """Fly and give the summary, which is also written to `out`/summary.json.

    `mode` is 'virtual' or 'processes'; `speed` mission seconds per wall second (None: as fast as it goes); `wall`
    lets real time pass instead of granted time; `operator_log` repeats the commands of an earlier run.
    """
    commands = [] if operator_log is None else read_commands(operator_log)
    options = RunOptions(
        mode=mode,
        speed="max" if speed is None else f"{speed:g}",
        wall=wall,
        dictionary=current_document(),
    )
    folder = RunFolder.create(out, plan, options)
    if mode == "virtual":
        outcome = _fly_virtual(plan, folder, commands, progress)
    else:
        from sil.processes.flight import fly_processes

        outcome = fly_processes(plan, folder, commands, speed, wall, progress)
    folder.finish(plan, outcome)
    summary = summarise(plan, folder, outcome)
    folder.write_summary(summary)
    return summary


def _fly_virtual(
    plan: RunPlan, folder: RunFolder, commands: Sequence[Command], progress: OnProgress
) -> Outcome:
    receiver = Receiver(folder.path, current_document(), plan.epoch_tai_ns)
    write_commands(folder.inputs / OPERATOR_LOG, commands)
    watch = Watch.of_plan(plan, folder.path)
    last_s = time.monotonic()
    flight = VirtualFlight(plan, folder.inputs, receiver, commands)

    def on_slice(t_ns: int) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s >= LOOK_S:
            last_s = now_s
            look = watch.look(t_ns, len(plan.nodes) - len(flight.hosts))
            folder.write_live(live_record(look))
            progress(look)

    try:
        outcome = flight.run(on_slice)
    finally:
        receiver.close()
    look = watch.look(outcome.end_ns, 0)
    folder.write_live(live_record(look))
    progress(look)
    return outcome
