"""`flightos doctor`: can this machine fly? One line a check, each with what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

DISK_FREE_BYTES_MIN: Final = 500 * 1024 * 1024
SOCKET_PATH_BYTES_MAX: Final = 107
_SIL_PACKAGES: Final = ("sgp4", "scipy", "tifffile", "rich")
_GROUND_PACKAGES: Final = ("pyarrow", "duckdb", "jinja2")


@dataclass(frozen=True)
class Finding:
    """One check. `verdict` is 'ok', 'warning' (flies, but less well) or 'fault' (does not fly)."""

    name: str
    verdict: str
    detail: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Run every check; none raises."""
    checks: tuple[Callable[[], Finding], ...] = (
        _check_python,
        _check_kernels,
        _check_messaging,
        _check_endpoints,
        _sweep_leftovers,
        lambda: _check_packages("sil", _SIL_PACKAGES),
        lambda: _check_packages("ground", _GROUND_PACKAGES),
        _check_disk,
        _check_cores,
    )
    return [check() for check in checks]


def _check_python() -> Finding:
    detail = f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}"
    if sys.version_info < (3, 11):  # noqa: UP036  # a board may have been set up by hand
        return Finding("python", "fault", detail, "use Python 3.11 or newer")
    if sys.flags.optimize:
        return Finding("python", "fault", f"{detail}, assertions off", "flight keeps them: run without -O")
    return Finding("python", "ok", detail)


def _check_kernels() -> Finding:
    try:
        from flightos import kernels
    except ImportError as error:
        return Finding("kernels", "fault", str(error), "install again: pip install .")
    if kernels.backend() != "c":
        remedy = "for C: install gcc and python3-dev, then pip install . again"
        return Finding("kernels", "warning", "NumPy references (the C module is not there)", remedy)
    return Finding("kernels", "ok", f"C module, instruction set {kernels.isa_name()}")


def _check_messaging() -> Finding:
    try:
        import zmq
    except ImportError as error:
        return Finding("messaging", "fault", str(error), "pip install pyzmq")
    if not zmq.has("ipc"):
        return Finding(
            "messaging", "fault", f"ZeroMQ {zmq.zmq_version()} without ipc", "use another pyzmq wheel"
        )
    return Finding("messaging", "ok", f"ZeroMQ {zmq.zmq_version()}, pyzmq {zmq.__version__}")


def _check_endpoints() -> Finding:
    """A private folder with a short path, in which a socket can be bound."""
    try:
        with tempfile.TemporaryDirectory(prefix="fos-") as folder:
            path = Path(folder) / "node-1001.ipc"
            if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
                remedy = "set TMPDIR to a folder with a short path"
                return Finding(
                    "endpoints", "fault", f"{path} is longer than {SOCKET_PATH_BYTES_MAX} bytes", remedy
                )
            import socket

            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bound:
                bound.bind(str(path))
            return Finding("endpoints", "ok", f"sockets can be bound under {tempfile.gettempdir()}")
    except OSError as error:
        return Finding("endpoints", "fault", str(error), "set TMPDIR to a folder you can write to")


def _sweep_leftovers() -> Finding:
    """Remove folders for sockets that killed runs and boards have left, and say how many."""
    from sil.processes.endpoints import PLACES, sweep

    count = sum(sweep(Path(place)) for place in dict.fromkeys((tempfile.gettempdir(), *PLACES)))
    if count == 0:
        return Finding("leftovers", "ok", "nothing left by killed runs")
    return Finding("leftovers", "ok", f"{count} folders of killed runs or boards were there; removed")


def _check_packages(extra: str, packages: tuple[str, ...]) -> Finding:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        purpose = "run scenarios" if extra == "sil" else "archive, inspect and report"
        remedy = f"to {purpose}: pip install 'flightos[{extra}]'"
        return Finding(extra, "warning", f"missing: {', '.join(missing)}", remedy)
    return Finding(extra, "ok", ", ".join(packages))


def _check_disk() -> Finding:
    here = Path.cwd()
    free_bytes = shutil.disk_usage(here).free
    detail = f"{free_bytes / 1024**3:.1f} GiB free under {here}"
    if not os.access(here, os.W_OK):
        return Finding("disk", "warning", f"cannot write under {here}", "run elsewhere, or give --out")
    if free_bytes < DISK_FREE_BYTES_MIN:
        return Finding("disk", "warning", detail, "a long run leaves some hundred MiB: free space")
    return Finding("disk", "ok", detail)


def _check_cores() -> Finding:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    if count < 2:
        return Finding("cores", "warning", "1 core", "real processes take turns; prefer --virtual")
    return Finding("cores", "ok", f"{count} cores")


def as_document(findings: list[Finding]) -> dict[str, object]:
    """For --json: the checks and whether this machine can fly."""
    can_fly = all(finding.verdict != "fault" for finding in findings)
    return {"can_fly": can_fly, "checks": [asdict(finding) for finding in findings]}
