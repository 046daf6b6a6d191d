"""Flies a plan, in virtual time or as processes, into a run folder, and judges it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from flightos.core.errors import InfrastructureError
from flightos.ground.dictionary import current_document
from flightos.ground.receive import Receiver
from sil.folder import RunFolder, RunOptions
from sil.interruption import Interruption
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
    with Interruption() as interruption:
        folder = RunFolder.create(out, plan, options)
        try:
            if mode == "virtual":
                outcome = _fly_virtual(plan, folder, commands, progress, interruption)
            else:
                from sil.processes.flight import fly_processes

                outcome = fly_processes(plan, folder, commands, speed, wall, progress, interruption)
            folder.finish(plan, outcome)
        except KeyboardInterrupt:
            folder.give_up("interrupted", "ended by the user before it could end by itself")
            raise
        except (OSError, sqlite3.Error) as error:
            folder.give_up("failed", str(error))
            raise InfrastructureError(f"{folder.path}: {error}") from error
        except Exception as error:
            folder.give_up("failed", str(error))
            raise
    summary = summarise(plan, folder, outcome)
    folder.write_summary(summary)
    return summary


def _fly_virtual(
    plan: RunPlan,
    folder: RunFolder,
    commands: Sequence[Command],
    progress: OnProgress,
    interruption: Interruption,
) -> Outcome:
    receiver = Receiver(folder.path, current_document(), plan.epoch_tai_ns)
    write_commands(folder.inputs / OPERATOR_LOG, commands)
    watch = Watch.of_plan(plan, folder.path)
    last_s = time.monotonic()
    nodes_dead = 0
    flight = VirtualFlight(plan, folder.inputs, receiver, commands)

    def on_slice(t_ns: int) -> None:
        nonlocal last_s, nodes_dead
        now_s = time.monotonic()
        nodes_dead = len(plan.nodes) - len(flight.hosts)
        if now_s - last_s >= LOOK_S:
            last_s = now_s
            look = watch.look(t_ns, nodes_dead)
            folder.write_live(live_record(look))
            progress(look)

    interruption.flying()
    try:
        outcome = flight.run(on_slice, lambda: interruption.is_wanted)
    finally:
        interruption.closing()
        receiver.close()
    look = watch.look(outcome.end_ns, nodes_dead)
    folder.write_live(live_record(look))
    progress(look)
    return outcome
