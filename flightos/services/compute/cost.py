"""The device model: how long a task takes, what it draws, and when it may start.

One box computes `rate_tops` at `mw_per_tops`; idle it draws a tenth. Its slots share the rate evenly, so that
the power follows the number of busy slots and n slots do not compute n times as fast. mW per (tera-operation per
second) times tera-operations is millijoule: energy needs no division.
App steps run on the processor beside the accelerator: they have their own slot and no modelled extra power.
"""

from __future__ import annotations

from typing import Final

from flightos.core.configuration import ComputeConfiguration
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.services.compute.interface import ExecuteTask
from flightos.services.compute.state import ComputeState, RunningExecution
from flightos.services.health.interface import Mode

STEP_SLOT_COUNT: Final = 1
"""App steps take a fraction of a second; behind a kernel of minutes they would hold up an observation."""
DURATION_NS_MIN: Final = NS_PER_MS
FORECAST_AGE_NS_MAX: Final = 5 * NS_PER_S
"""A forecast is made each second; without a new one for this long nothing may be spent."""


def is_app_step(request: ExecuteTask) -> bool:
    """True for `plan` and `finish`, whose duration is given instead of a number of operations."""
    return request.duration_ns > 0


def modelled_duration_ns(request: ExecuteTask, compute: ComputeConfiguration) -> int:
    """Time on a slot; at least 1 ms."""
    if is_app_step(request):
        return max(DURATION_NS_MIN, request.duration_ns)
    return max(DURATION_NS_MIN, request.tera_ops * NS_PER_S * compute.slot_count // compute.rate_tops)


def budget_ns(duration_ns: int, compute: ComputeConfiguration) -> int:
    """When the watchdog kills the worker, counted from its start."""
    return max(compute.budget_ns_min, duration_ns * compute.budget_factor_e3 // 1_000)


def task_energy_mj(request: ExecuteTask, compute: ComputeConfiguration) -> int:
    """Energy of the whole task in millijoule; 0 for an app step."""
    return 0 if is_app_step(request) else request.tera_ops * compute.mw_per_tops


def remaining_tera_ops(execution: RunningExecution, now_obt_ns: int) -> int:
    """What a running task still has to compute, rounded up; 0 for an app step."""
    if is_app_step(execution.request):
        return 0
    duration_ns = execution.finish_obt_ns - execution.started_obt_ns
    remaining_ns = max(0, execution.finish_obt_ns - now_obt_ns)
    return -(-execution.request.tera_ops * remaining_ns // duration_ns)


def drawn_mw(running_kernel_count: int, compute: ComputeConfiguration) -> int:
    """Power of the box with so many kernels running."""
    busy_mw = compute.rate_tops * compute.mw_per_tops
    idle_mw = busy_mw // 10
    return idle_mw + (busy_mw - idle_mw) * min(running_kernel_count, compute.slot_count) // compute.slot_count


def node_gate(state: ComputeState, now_obt_ns: int) -> Refusal | None:
    """Why no task at all may start now, if so. Charge comes before heat, since heat does not hold app steps."""
    if state.mode is Mode.SAFE:
        return Refusal.WRONG_MODE
    forecast = state.forecast
    if forecast is None or now_obt_ns - forecast.made_obt_ns > FORECAST_AGE_NS_MAX or not forecast.charge_ok:
        return Refusal.CHARGE_BELOW_FLOOR
    return None if forecast.heat_ok else Refusal.TOO_HOT


def task_gate(
    state: ComputeState,
    request: ExecuteTask,
    gate: Refusal | None,
    energy_mj: int,
    compute: ComputeConfiguration,
) -> Refusal | None:
    """Why this task may not start now, if so. `energy_mj` is what may still be spent beyond running tasks."""
    if gate is Refusal.TOO_HOT and is_app_step(request):
        return None
    if gate is not None:
        return gate
    return Refusal.CHARGE_BELOW_FLOOR if task_energy_mj(request, compute) > energy_mj else None
