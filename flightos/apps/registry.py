"""Which apps there are, and how a worker reaches their code.

An app is named by a registered name, or by the dotted path of a user's own module. Nodes read descriptions;
only `run_step` imports an app's code, so a node process stays small.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Final

from flightos.apps.interface import AppDescription, AppError, RunStep
from flightos.apps.surface_watch.description import DESCRIPTION as SURFACE_WATCH
from flightos.apps.template.description import DESCRIPTION as TEMPLATE

APPS: Final[tuple[AppDescription, ...]] = (SURFACE_WATCH, TEMPLATE)


def describe(app: str) -> AppDescription:
    """Give the description of an app. Raises AppError with the known names when there is none."""
    for description in APPS:
        if description.name == app:
            return description
    if "." in app:
        users_own: object = getattr(_import_app(app), "DESCRIPTION", None)
        if isinstance(users_own, AppDescription):
            return users_own
        raise AppError(f"module {app} has no DESCRIPTION of an app")
    raise AppError(f"no app is called {app!r}; there are {', '.join(known.name for known in APPS)}")


def load_run_step(app: str) -> RunStep:
    """Import an app's code and give its `run_step`. Raises AppError."""
    description = describe(app)
    run_step: RunStep | None = getattr(_import_app(description.module), "run_step", None)
    if run_step is None:
        raise AppError(f"module {description.module} has no run_step")
    return run_step


def run_step(app: str, step: str, parameters: bytes, inputs: Sequence[bytes]) -> bytes:
    """Run one step of an app: `plan`, a kernel step of a task, or `finish`. Called in workers.

    Raises AppError for a step or parameters that the app refuses, InputCorrupt for damaged inputs,
    KernelError.
    """
    return load_run_step(app)(step, parameters, inputs)


def _import_app(module: str) -> object:
    try:
        return import_module(module)
    except ImportError as error:
        raise AppError(f"app module {module} cannot be imported: {error}") from error
