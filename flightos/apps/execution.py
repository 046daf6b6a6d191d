"""Run one step and turn whatever happens into a value: the one place where an app's exceptions end.

A worker process and virtual time both call `execute`, so a failure has the same reason in every mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from flightos.apps.interface import AppError, InputCorrupt
from flightos.apps.registry import run_step
from flightos.core.ports import WorkFailure
from flightos.kernels import KernelError

RESULT_BYTES_MAX: Final = 64 * 1024 * 1024
TEXT_CHARACTERS_MAX: Final = 400


class Execution(msgspec.Struct, frozen=True, array_like=True):
    """What a step gave. `failure` is None when `result` holds; else `text` says why there is none."""

    failure: WorkFailure | None
    result: bytes = b""
    text: str = ""


def execute(app: str, step: str, parameters: bytes, inputs: Sequence[bytes]) -> Execution:
    """Run one step of an app. Gives a value for every outcome; only the end of the process escapes."""
    try:
        result = run_step(app, step, parameters, inputs)
    except InputCorrupt as error:
        return _failed(WorkFailure.CORRUPT_INPUT, error)
    except (AppError, KernelError) as error:
        return _failed(WorkFailure.REFUSED, error)
    except Exception as error:  # an app's own mistake must not end its worker, nor the loop of virtual time
        return _failed(WorkFailure.CRASHED, error)
    if not isinstance(result, bytes) or len(result) > RESULT_BYTES_MAX:
        return Execution(
            WorkFailure.REFUSED, text=f"{app}.{step} gave no bytes, or more than {RESULT_BYTES_MAX}"
        )
    return Execution(None, result)


def _failed(reason: WorkFailure, error: Exception) -> Execution:
    return Execution(reason, text=f"{type(error).__name__}: {error}"[:TEXT_CHARACTERS_MAX])
