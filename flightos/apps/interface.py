"""What a mission app is: a description that any node can read, and steps that only workers run.

Theory of operation. The description is plain data and names the tasks of one tile as a small graph; nodes
import it and nothing else of an app. The steps are pure functions from bytes to bytes, so a task may run on
any satellite, twice, or after a crash, and give the same result. `plan` turns an observation into tasks, each
task names a step, `finish` turns the results into the product; `plan` and `finish` are steps like the others
and run in workers too.

An app module has DESCRIPTION (an AppDescription) and

    def run_step(step: str, parameters: bytes, inputs: Sequence[bytes]) -> bytes

which may import NumPy and kernels when it is called. The registry finds it by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TypeVar

import msgspec

from flightos.core.errors import FlightosError
from flightos.core.reading import UNREADABLE
from flightos.services.scheduling.interface import PlanRequest, PlanResult, TaskSpec

Parameters = TypeVar("Parameters", bound=msgspec.Struct)

TILE_INPUT: Final = "tile"
"""The name of the tile itself among a task's inputs; -1 in a TaskSpec."""
STEP_PLAN: Final = "plan"
STEP_FINISH: Final = "finish"
TASK_COUNT_MAX: Final = 256
"""Tasks of one plan: a task number leaves eight bits for them (`core.ids.task_id`)."""


class AppError(FlightosError):
    """An app or its input is not usable; the work fails as WorkFailure.REFUSED and is not repeated with these
    inputs."""


class InputCorrupt(FlightosError):
    """Bytes of a tile or result do not match their checksum or form; the runtime fetches them again and
    repeats."""


class TaskTemplate(msgspec.Struct, frozen=True, array_like=True):
    """One task of every tile. `inputs` are names of earlier templates or TILE_INPUT, in the order the step
    wants.

    `tera_ops` is the modelled cost, `result_bytes` an estimate of the largest result.
    """

    name: str
    step: str
    inputs: tuple[str, ...]
    tera_ops: int
    result_bytes: int
    parameters: bytes = b""


class AppDescription(msgspec.Struct, frozen=True):
    """What nodes and ground know of an app, without its code.

    `module` holds `run_step`; `tasks` is the graph of one tile, each after its inputs; `finish_inputs` names
    the tasks whose results `finish` wants; `cost_note` says what the cost stands for.
    """

    name: str
    apid: int
    module: str
    tasks: tuple[TaskTemplate, ...]
    finish_inputs: tuple[str, ...]
    cost_note: str

    @property
    def tile_tera_ops(self) -> int:
        """Modelled cost of a whole tile."""
        return sum(task.tera_ops for task in self.tasks)


class RunStep(Protocol):
    """The code of an app."""

    def __call__(self, step: str, parameters: bytes, inputs: Sequence[bytes]) -> bytes:
        """Run one step. Raises AppError, InputCorrupt or KernelError; never touches anything but its
        arguments."""
        ...


def plan_tasks(description: AppDescription) -> PlanResult:
    """Turn the graph of a description into the plan of one tile. Raises AppError when the graph is not
    one."""
    if len(description.tasks) > TASK_COUNT_MAX:
        raise AppError(f"{description.name}: more than {TASK_COUNT_MAX} tasks")
    index_of: dict[str, int] = {TILE_INPUT: -1}
    tasks: list[TaskSpec] = []
    for index, template in enumerate(description.tasks):
        if template.name in index_of:
            raise AppError(f"{description.name}: two tasks are called {template.name!r}")
        tasks.append(
            TaskSpec(
                index=index,
                name=template.name,
                step=template.step,
                parameters=template.parameters,
                inputs=_indices(description.name, template.inputs, index_of),
                tera_ops=template.tera_ops,
                result_bytes=template.result_bytes,
            )
        )
        index_of[template.name] = index
    return PlanResult(
        tasks=tuple(tasks),
        finish_inputs=_indices(description.name, description.finish_inputs, index_of),
    )


def _indices(app: str, names: Sequence[str], index_of: Mapping[str, int]) -> tuple[int, ...]:
    unknown = [name for name in names if name not in index_of]
    if unknown:
        raise AppError(f"{app}: {', '.join(unknown)} is not an earlier task")
    return tuple(index_of[name] for name in names)


def run_plan(description: AppDescription, parameters: bytes) -> bytes:
    """Be the `plan` step of an app whose tiles all have the same tasks.

    Takes a PlanRequest and gives a PlanResult, both as MessagePack. Raises AppError for anything else.
    """
    decode_parameters(parameters, PlanRequest)
    return msgspec.msgpack.encode(plan_tasks(description))


def decode_parameters(parameters: bytes, record_type: type[Parameters]) -> Parameters:
    """Decode the parameters of a step. Raises AppError when they are not of this type."""
    try:
        return msgspec.msgpack.decode(parameters, type=record_type)
    except UNREADABLE as error:
        raise AppError(f"parameters are not {record_type.__name__}: {error}") from error


def check_input_count(step: str, inputs: Sequence[bytes], count: int) -> None:
    """Refuse another number of inputs than the step takes."""
    if len(inputs) != count:
        raise AppError(f"step {step!r} takes {count} inputs, not {len(inputs)}")
