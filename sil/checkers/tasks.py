"""The ledger of tasks: what was admitted, how it ended, what is missing.

Definitions. An observation counts once it was admitted. Its tasks are those of its *final plan*: the plan of the
highest ownership epoch, (counter, node id). A task of it
  * is *done* or *dropped* when its owner said so under that epoch, once and with a reason;
  * is *open* when the run ended first: its owner is alive at the end and still counts it, or died so late that its
    standby may not have declared it yet, and its deadline is not over;
  * is *lost* otherwise: nobody works on it and nobody said why. That must not happen in any run.
An admitted observation that was never planned counts as one task of the same kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from flightos.core.ids import observation_of
from flightos.core.time import NS_PER_S
from sil.checkers.evidence import Event, Evidence, Violation

DEADLINE_GRACE_NS: Final = 60 * NS_PER_S
"""After its deadline an observation has this long to be dropped: timers run in whole seconds, retries every ten."""
TAKEOVER_GRACE_NS: Final = 60 * NS_PER_S
"""On top of the time to declare a peer dead: time to take over, replicate and plan again."""
ACTIVE_STATES: Final = ("waiting", "ready", "assigned", "running")
_EDGE_NS: Final = 2 * NS_PER_S
"""Housekeeping and events this close together are not compared."""

Epoch = tuple[int, int]


@dataclass
class PlanOfTasks:
    """One plan: made by the owner of an epoch."""

    task_count: int
    planned_tai_ns: int
    done: dict[int, int] = field(default_factory=dict)
    dropped: dict[int, int] = field(default_factory=dict)
    """How often each task (by index) was reported done, dropped."""
    unexplained: list[int] = field(default_factory=list)
    """Tasks dropped without a reason."""

    def unfinished(self) -> list[int]:
        """Indices of tasks that neither ended well nor badly."""
        return [
            index for index in range(self.task_count) if index not in self.done and index not in self.dropped
        ]


@dataclass
class Observation:
    """All that the events say of one observation."""

    observation_id: int
    tile_index: int = -1
    imaged_tai_ns: int | None = None
    is_admitted: bool = False
    standby_id: int = 0
    owner_id: int = 0
    epoch: Epoch = (0, 0)
    plans: dict[Epoch, PlanOfTasks] = field(default_factory=dict)
    is_completed: bool = False
    is_dropped: bool = False

    def final_plan(self) -> PlanOfTasks | None:
        """The plan of the highest epoch there was; None when that epoch made none."""
        return self.plans.get(self.epoch)


class TaskCounts(msgspec.Struct, frozen=True):
    """Tasks of the final plans of admitted observations."""

    submitted: int
    done: int
    dropped: int
    open: int
    lost: int


@dataclass
class Ledger:
    """Observations by id, their counts, and what is wrong."""

    observations: dict[int, Observation]
    counts: TaskCounts
    violations: list[Violation]


def read_observations(evidence: Evidence) -> dict[int, Observation]:
    """Follow every observation through the events of all nodes."""
    found: dict[int, Observation] = {}
    epoch_of: dict[tuple[int, int], Epoch] = {}
    for event in evidence.events:
        if event.name in ("TASK_DONE", "TASK_DROPPED"):
            _take_ending(found, epoch_of, event)
        elif event.name.startswith("OBSERVATION_"):
            number = event.number("observation_id")
            observation = found.setdefault(number, Observation(number))
            _take_step(observation, epoch_of, event)
    return found


def _take_step(observation: Observation, epoch_of: dict[tuple[int, int], Epoch], event: Event) -> None:
    key = (event.node_id, observation.observation_id)
    if "tile_index" in event.fields:
        observation.tile_index = event.number("tile_index")
    if event.name == "OBSERVATION_IMAGED":
        observation.imaged_tai_ns = event.t_tai_ns
        observation.owner_id = event.node_id
    elif event.name == "OBSERVATION_ADMITTED":
        observation.is_admitted = True
        if event.node_id == observation.owner_id:
            observation.standby_id = event.number("standby_id")
    elif event.name in ("OBSERVATION_PLANNED", "OBSERVATION_TAKEN_OVER"):
        epoch = (event.number("epoch_counter"), event.node_id)
        epoch_of[key] = epoch
        if epoch >= observation.epoch:
            observation.epoch = epoch
            observation.owner_id = event.node_id
        if event.name == "OBSERVATION_TAKEN_OVER":
            observation.standby_id = 0
            observation.is_admitted = True  # a standby holds it only because an owner wanted it admitted
        else:
            observation.plans[epoch] = PlanOfTasks(event.number("task_count"), event.t_tai_ns)
    elif event.name in ("OBSERVATION_COMPLETED", "OBSERVATION_CLOSED"):
        observation.is_completed = True
    elif event.name == "OBSERVATION_DROPPED" and event.node_id == observation.owner_id:
        observation.is_dropped = True


def _take_ending(found: dict[int, Observation], epoch_of: dict[tuple[int, int], Epoch], event: Event) -> None:
    task = event.number("task_id")
    number = observation_of(task)
    observation = found.setdefault(number, Observation(number))
    plan = observation.plans.get(epoch_of.get((event.node_id, number), (0, 0)))
    if plan is None:
        plan = observation.plans[(0, event.node_id)] = PlanOfTasks(0, event.t_tai_ns)
    index = task % 256
    endings = plan.done if event.name == "TASK_DONE" else plan.dropped
    endings[index] = endings.get(index, 0) + 1
    if event.name == "TASK_DROPPED" and event.number("refusal") == 0:
        plan.unexplained.append(index)


def make_ledger(evidence: Evidence) -> Ledger:
    """Count tasks and list what is wrong with their endings."""
    observations = read_observations(evidence)
    admitted = [one for one in observations.values() if one.is_admitted]
    violations = [violation for one in admitted for violation in _ending_faults(one)]
    submitted = done = dropped = open_count = 0
    lost: list[tuple[Observation, int]] = []
    for observation in admitted:
        plan = observation.final_plan()
        if plan is None:
            if observation.is_dropped or observation.is_completed:
                continue
            submitted += 1
            unfinished = 1
        else:
            submitted += plan.task_count
            done += sum(1 for index in plan.done if index not in plan.dropped)
            dropped += len(plan.dropped)
            unfinished = len(plan.unfinished())
        if unfinished and _may_be_open(evidence, observation):
            open_count += unfinished
        elif unfinished:
            lost.append((observation, unfinished))
    forgotten = _forgotten(evidence, admitted)
    violations += [_lost(one, count) for one, count in lost] + forgotten[1]
    lost_count = sum(count for _, count in lost) + forgotten[0]
    counts = TaskCounts(submitted, done, dropped, max(0, open_count - forgotten[0]), lost_count)
    return Ledger(observations, counts, violations)


def _ending_faults(observation: Observation) -> list[Violation]:
    plan = observation.final_plan()
    if plan is None:
        return []
    number, faults = observation.observation_id, []
    for index in sorted({*plan.done, *plan.dropped}):
        times = plan.done.get(index, 0) + plan.dropped.get(index, 0)
        if times > 1:
            text = f"task {index} of observation {number} ended {times} times under one owner"
            faults.append(Violation("tasks_end_once", text, observation.owner_id))
        if index >= plan.task_count:
            text = f"task {index} of observation {number} ended, its plan has {plan.task_count}"
            faults.append(Violation("tasks_end_once", text, observation.owner_id))
    for index in plan.unexplained:
        text = f"task {index} of observation {number} was dropped without a reason"
        faults.append(Violation("drops_have_reasons", text, observation.owner_id))
    return faults


def _lost(observation: Observation, count: int) -> Violation:
    text = (
        f"{count} tasks of observation {observation.observation_id} (tile {observation.tile_index}) ended neither"
        f" done nor dropped; last owner {observation.owner_id}, standby {observation.standby_id}"
    )
    return Violation("no_task_lost", text, observation.owner_id)


def _may_be_open(evidence: Evidence, observation: Observation) -> bool:
    """True when somebody can still be working on it at the end of the run."""
    deadline_ns = _deadline_tai_ns(evidence, observation)
    if deadline_ns is not None and evidence.end_tai_ns > deadline_ns + DEADLINE_GRACE_NS:
        return False
    if evidence.is_alive_at_end(observation.owner_id):
        return True
    silent_ns = evidence.end_tai_ns - evidence.last_sign_tai_ns(observation.owner_id)
    declare_ns = max((node.health.declare_ns for node in evidence.plan.nodes), default=0)
    takes_over = observation.standby_id and evidence.is_alive_at_end(observation.standby_id)
    return bool(takes_over) and silent_ns < declare_ns + TAKEOVER_GRACE_NS


def _deadline_tai_ns(evidence: Evidence, observation: Observation) -> int | None:
    """Deadline of an observation of the scenario; None for one that the operator asked for."""
    payload = evidence.plan.settings.get("payload")
    if observation.imaged_tai_ns is None or not isinstance(payload, dict) or "deadline_s" not in payload:
        return None
    shot_count = sum(len(burst["tiles"]) for burst in payload.get("bursts", ()))
    if observation.observation_id > shot_count:
        return None
    return observation.imaged_tai_ns + int(payload["deadline_s"]) * NS_PER_S


def _forgotten(evidence: Evidence, admitted: list[Observation]) -> tuple[int, list[Violation]]:
    """Tasks that the events call unfinished and that their living owner no longer counts in its housekeeping."""
    expected: dict[int, int] = {}
    for observation in admitted:
        plan = observation.final_plan()
        owner_id = observation.owner_id
        if plan is None or not _may_be_open(evidence, observation) or not evidence.is_alive_at_end(owner_id):
            continue
        if plan.planned_tai_ns < evidence.last_sign_tai_ns(owner_id) - _EDGE_NS:
            expected[owner_id] = expected.get(owner_id, 0) + len(plan.unfinished())
    count, violations = 0, []
    for owner_id, wanted in sorted(expected.items()):
        series = [evidence.series(f"scheduling/task_{state}_count", owner_id) for state in ACTIVE_STATES]
        if any(len(one.value) == 0 for one in series):
            continue
        held = sum(int(one.value[-1]) for one in series)
        if held < wanted:
            count += wanted - held
            text = f"node {owner_id} counts {held} tasks in its table, {wanted} of its tasks have not ended"
            violations.append(Violation("no_task_lost", text, owner_id))
    return count, violations
