"""The folder that a run leaves: made at its start, complete enough to open at any moment after that.

    manifest.json        what flew: scenario, seed, commit, mode, hashes, versions, settings; `state` says how it ended
    live.json            progress while the run lives, replaced by rename
    geometry.json        ground tracks every 10 s, eclipses, planned contacts, names: for report and console
    scene.npz            the imaged scene for the eye: `rgb` uint8 (rows, cols, 3) and `tiles` (row0, row1, col0, col1)
    geometry.tape        the geometry tape; `world.tape` pins it
    inputs/              `<node>.<boot>.log`, input log of one life of a node, its first element the configuration;
                         `<node>.<boot>.snapshot`; `operator.log`, the commands of the operator
    products/            accepted products, named by content id
    packets.*.raw, telemetry/, catalogue.sqlite, dictionary.json   the archive (flightos.ground.archive)
    trace, trace.hash    chain and checkpoints of every life; the hash of the run, or `null` and the reason
    summary.json         what `flightos run --json` prints

Every file is replaced by write, fsync, rename or only grows; nothing in the folder is executable on reading.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import msgspec

from flightos.core.errors import InfrastructureError
from flightos.core.reading import UNREADABLE
from flightos.core.time import NS_PER_S
from sil.outcome import LifeTrace, Outcome, read_trace, write_trace
from sil.plan import RunPlan
from sil.scenery import geometry, scene_archive

FORMAT: Final = 1
INPUTS: Final = "inputs"
PRODUCTS: Final = "products"
TELEMETRY: Final = "telemetry"
JSON_INTEGER_MAX: Final = 1 << 53
"""JSON readers keep no more: larger integers are text."""
SCALE: Final = "1:1, true sizes"


@dataclass(frozen=True)
class RunOptions:
    """How a plan is flown: what the manifest says beside the plan."""

    mode: str
    """'virtual' or 'processes'."""
    speed: str = "max"
    wall: bool = False
    endpoint_folder: str = ""
    dictionary: Mapping[str, Any] | None = None
    """The dictionary as `flightos dictionary --json` prints it."""


class RunFolder:
    """See the module. `create` for a new run, `open` for one that is there."""

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest
        self.inputs = path / INPUTS
        self.products = path / PRODUCTS
        self.telemetry = path / TELEMETRY

    @classmethod
    def create(cls, path: Path, plan: RunPlan, options: RunOptions) -> RunFolder:
        """Make the folder, private to the user (or take an empty one), and all that is known before the flight.

        Raises InfrastructureError when the disk does not let us.
        """
        folder = cls(path, _manifest(plan, options, datetime.now(UTC)))
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for inside in (folder.inputs, folder.products, folder.telemetry):
                inside.mkdir(mode=0o700)
            folder._write_manifest()
            plan.tape.save(path / "geometry.tape")
            write_durable(path / "geometry.json", _json(geometry(plan)))
            write_durable(path / "scene.npz", scene_archive(plan))
        except OSError as error:
            folder.give_up("failed", f"cannot make the run folder: {error.strerror}")
            raise InfrastructureError(f"{path}: cannot make the run folder: {error}") from error
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """A folder that is there. Raises InfrastructureError for one that is no run."""
        try:
            manifest = json.loads((path / "manifest.json").read_text())
        except (OSError, ValueError) as error:
            raise InfrastructureError(f"{path}: expected the folder of a run: {error}") from error
        if not isinstance(manifest, dict):
            raise InfrastructureError(f"{path}: expected a manifest, found {type(manifest).__name__}")
        return cls(path, manifest)

    def state(self) -> str:
        """running, finished, interrupted, failed or killed: a run that says it is running and whose process is gone was
        killed."""
        said = str(self.manifest.get("state", "killed"))
        pid, start = int(self.manifest.get("pid", 0)), str(self.manifest.get("pid_start", ""))
        return "killed" if said == "running" and not _is_alive(pid, start) else said

    def note_endpoints(self, endpoints: Path) -> None:
        """Say in the manifest where the run's sockets are."""
        self.manifest["endpoint_folder"] = str(endpoints)
        self._write_manifest()

    def write_live(self, progress: Mapping[str, object]) -> None:
        """Replace live.json. Readers see the old or the new one; after a power cut it may be either."""
        partial = self.path / ".live.json.partial"
        partial.write_bytes(_json(progress))
        partial.rename(self.path / "live.json")

    def finish(self, plan: RunPlan, outcome: Outcome) -> None:
        """Write the trace and say in the manifest how the run ended."""
        trace = self.path / ".trace.partial"
        write_trace(trace, outcome)
        trace.rename(self.path / "trace")
        trace_hash = outcome.trace_hash(plan.tape.hash())
        said = trace_hash if trace_hash is not None else f"null: {outcome.not_repeatable}"
        write_durable(self.path / "trace.hash", f"{said}\n".encode())
        self.manifest |= {
            "state": "interrupted" if outcome.interrupted else "finished",
            "ended_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "flown_s": outcome.end_ns / NS_PER_S,
            "wall_s": outcome.wall_s,
            "trace_hash": trace_hash,
            "not_repeatable": outcome.not_repeatable,
            "products_hash": outcome.products_hash(),
        }
        self._write_manifest()

    def give_up(self, state: str, reason: str) -> None:
        """Say in the manifest why there is no outcome; on a disk that takes nothing more the run counts as killed."""
        self.manifest |= {
            "state": state,
            "reason": reason,
            "ended_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        with suppress(OSError):
            self._write_manifest()

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """Keep what `flightos run --json` prints."""
        write_durable(self.path / "summary.json", _json(summary))

    def trace(self) -> Mapping[tuple[int, int], LifeTrace]:
        """Lives by (node id, boot); empty for a run that was killed before it wrote them."""
        path = self.path / "trace"
        if not path.exists():
            return {}
        try:
            return read_trace(path)
        except (OSError, ValueError, *UNREADABLE) as error:
            raise InfrastructureError(f"{path}: expected a trace: {error}") from error

    def boots(self, node_id: int) -> list[int]:
        """Boots of a node that left an input log, ascending."""
        names = [path.name.split(".") for path in self.inputs.glob(f"{node_id}.*.log")]
        return sorted(int(parts[1]) for parts in names if len(parts) == 3 and parts[1].isdigit())

    def node_ids(self) -> list[int]:
        """Nodes that left an input log, ascending."""
        firsts = [path.name.split(".")[0] for path in self.inputs.glob("*.*.log")]
        return sorted({int(first) for first in firsts if first.isdigit()})

    def node_id_of(self, name_or_id: str) -> int:
        """The node of this run that a user means. Raises InfrastructureError naming those there are."""
        known = {str(node["name"]): int(node["node_id"]) for node in self.manifest.get("nodes", [])}
        ids = self.node_ids()
        if name_or_id in known:
            return known[name_or_id]
        if name_or_id.isdigit() and int(name_or_id) in ids:
            return int(name_or_id)
        shown = ", ".join(f"{node_id} ({name})" for name, node_id in known.items()) or ", ".join(
            map(str, ids)
        )
        raise InfrastructureError(f"{self.path}: no node {name_or_id}; there are: {shown}")

    def _write_manifest(self) -> None:
        write_durable(self.path / "manifest.json", _json(self.manifest))


def write_durable(path: Path, content: bytes) -> None:
    """Write, fsync, rename: whoever opens `path` finds the old content or the new one."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def safe(value: object) -> object:
    """The same value as JSON may hold it: integers above 2^53 as text, bytes in hexadecimal, keys as text."""
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return str(value) if abs(value) > JSON_INTEGER_MAX else int(value)
    if isinstance(value, Mapping):
        return {str(key): safe(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [safe(inside) for inside in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, msgspec.Struct):
        return safe(msgspec.to_builtins(value))
    return str(value)


def _manifest(plan: RunPlan, options: RunOptions, started: datetime) -> dict[str, Any]:
    document = options.dictionary
    encoded = b"" if document is None else json.dumps(document, sort_keys=True).encode()
    return {
        "format": FORMAT,
        "scenario": plan.scenario,
        "question": plan.settings.get("question", ""),
        "notes": plan.settings.get("notes", []),
        "seed": plan.seed,
        "state": "running",
        "pid": os.getpid(),
        "pid_start": _process_start(os.getpid()),
        "started_utc": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "mode": options.mode,
        "speed": options.speed,
        "wall": options.wall,
        "scale": SCALE,
        "duration_s": plan.duration_ns / NS_PER_S,
        "epoch_tai_ns": plan.epoch_tai_ns,
        "lookahead_ns": plan.lookahead_ns(),
        "commit": source_commit(),
        "tape_hash": plan.tape.hash(),
        "dictionary_hash": blake2b(encoded, digest_size=32).hexdigest() if encoded else None,
        "versions": _versions(),
        "kernels": _kernels(),
        "endpoint_folder": options.endpoint_folder,
        "nodes": [
            {
                "node_id": node.node_id,
                "name": node.name,
                "role": str(node.role),
                "has_imager": node.has_imager,
            }
            for node in plan.nodes
        ],
        "faults": [msgspec.to_builtins(fault) for fault in plan.faults],
        "criteria": msgspec.to_builtins(plan.criteria),
        "settings": plan.settings,
        "scene": plan.scene,
    }


def source_commit() -> str | None:
    """The commit of the source tree, with `+` for local changes; None outside a repository."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        ask = ["git", "-C", str(root)]
        head = subprocess.run(
            [*ask, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        )
        changes = subprocess.run(
            [*ask, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in ("flightos", "numpy", "pyzmq", "msgspec", "msgpack", "sgp4"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _kernels() -> str:
    from flightos import kernels

    return f"{kernels.backend()} ({kernels.isa_name()})"


def _is_alive(pid: int, start: str) -> bool:
    """True when the process that wrote the manifest is still there: the same id and, where known, start time."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _process_start(pid) == start


def _process_start(pid: int) -> str:
    """When a process started, in ticks after boot (proc(5), field 22); 'dead' for one that only waits to be reaped;
    empty where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "dead" if fields[0] in "ZX" else fields[19]


def _json(value: object) -> bytes:
    return (json.dumps(safe(value), indent=1) + "\n").encode()
