"""From a name or a file to a checked scenario: `extends`, overrides, and every fault listed at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flightos.core.errors import ConfigError
from flightos.node.toml_faults import (
    Document,
    KeyPath,
    apply_overrides,
    nearest,
    read_document,
    validate,
)
from sil.scenarios.relations import check_relations
from sil.scenarios.schema import Scenario
from sil.world.elements import ElementSet, ElementSetError, load_elements

FOLDER: Final = Path(__file__).resolve().parent
_EXTENDS_DEPTH_MAX: Final = 4
_FILE_KEYS: Final = (
    ("world", "elements"),
    ("world", "tape"),
    ("stations", "file"),
    ("stations", "contact_plan"),
    ("payload", "image"),
)
"""Keys that name files: relative to the scenario file that says them, or to the working folder with --set."""


@dataclass(frozen=True)
class LoadedScenario:
    """A checked scenario with its name, and the places of its keys for later faults (topology, files)."""

    name: str
    scenario: Scenario
    document: Document
    elements: tuple[ElementSet, ...] = ()
    """Satellites of `world.elements`; empty when the plane is made up."""

    @property
    def satellite_count(self) -> int:
        """Number of satellites that fly."""
        return len(self.elements) or self.scenario.constellation.satellite_count

    def fault(self, path: KeyPath, text: str) -> str:
        """A fault line for a key: place, key, text."""
        return self.document.fault(path, text)


def known_scenarios() -> dict[str, str]:
    """Shipped scenarios by name, with the question each answers."""
    return {
        path.stem: str(read_document(path).values.get("question", ""))
        for path in sorted(FOLDER.glob("*.toml"))
    }


def load_scenario(name_or_path: str, overrides: Mapping[str, str] | None = None) -> LoadedScenario:
    """Load a shipped scenario by name, or a TOML file by path, with `--set` overrides {dotted key: text}.

    Raises ConfigError listing every fault with file, line, key, expected value and nearest right name, or,
    for an unknown name, the known ones. Raises InfrastructureError for a file that is there but cannot be
    read.
    """
    path = _find(name_or_path)
    document = _read_extended(path, _EXTENDS_DEPTH_MAX)
    document = apply_overrides(document, overrides or {})
    scenario, faults = validate(Scenario, document)
    elements: tuple[ElementSet, ...] = ()
    if scenario is not None:
        elements = _elements(scenario, document, faults)
        count = len(elements) or scenario.constellation.satellite_count

        def report(key: KeyPath, text: str) -> None:
            faults.append(document.fault(key, text))

        check_relations(scenario, count, report)
    if faults or scenario is None:
        if scenario is not None:
            faults += _faults_of_inputs(LoadedScenario(path.stem, scenario, document, elements), faults)
        raise ConfigError(faults)
    return LoadedScenario(path.stem, scenario, document, elements)


def _faults_of_inputs(loaded: LoadedScenario, faults: list[str]) -> list[str]:
    """What else is wrong with files, image and orbits, as far as it can be judged beside the faults there are."""
    # Not at the top: a plan is made of what is loaded here.
    from sil.scenarios.builder import input_faults

    wrong = {
        table
        for table in ("constellation", "topology", "world", "stations", "payload")
        if any(re.search(rf"(:|--set) {table}\b", fault) for fault in faults)
    }
    if wrong & {"topology", "world"}:
        wrong.add("constellation")
    if not any(f"payload.{key}" in fault for fault in faults for key in ("image", "bands", "tile_")):
        wrong.discard("payload")  # other keys of the table say nothing of the image
    found = input_faults(loaded, loaded.scenario.duration_s, wrong)
    return [fault for fault in found if fault not in faults]


def _find(name_or_path: str) -> Path:
    """The file of a scenario. Raises ConfigError with the known names."""
    shipped = FOLDER / f"{name_or_path}.toml"
    if "/" not in name_or_path and shipped.is_file():
        return shipped
    path = Path(name_or_path)
    if path.is_file():
        return path
    known = sorted(item.stem for item in FOLDER.glob("*.toml"))
    what = "no such file, and no scenario of that name" if path.suffix == ".toml" else "unknown scenario"
    hint = nearest(path.stem, known) if difflib.get_close_matches(path.stem, known, n=1) else ""
    names = "".join(f"\n    {name}" for name in known)
    raise ConfigError([f"{name_or_path}: {what}{'; ' if hint else ''}{hint}\n  known scenarios:{names}"])


def _read_extended(path: Path, depth_left: int) -> Document:
    """The file laid over what it extends; paths in it made absolute."""
    document = read_document(path)
    _anchor_files(document.values, path.parent)
    parent = document.values.get("extends")
    if not isinstance(parent, str):
        return document
    if depth_left == 0:
        raise ConfigError([document.fault(("extends",), f"expected at most {_EXTENDS_DEPTH_MAX} files deep")])
    beside = path.parent / parent
    try:
        parent_path = beside if beside.is_file() else _find(parent)
    except ConfigError as error:
        raise ConfigError(
            [f"{document.place(('extends',))}: extends: {fault}" for fault in error.faults]
        ) from error
    below = _read_extended(parent_path, depth_left - 1)
    return below.overlay(document)


def _anchor_files(values: dict[str, Any], folder: Path) -> None:
    """Make the file names of a scenario relative to its own folder."""
    for table, key in _FILE_KEYS:
        inside = values.get(table)
        if isinstance(inside, dict) and isinstance(inside.get(key), str):
            inside[key] = str(folder / inside[key])


def _elements(scenario: Scenario, document: Document, faults: list[str]) -> tuple[ElementSet, ...]:
    """The satellites of `world.elements`, with its faults added."""
    if scenario.world.elements is None:
        return ()
    try:
        return tuple(load_elements(Path(scenario.world.elements)))
    except ElementSetError as error:
        faults.extend(document.fault(("world", "elements"), fault) for fault in error.faults)
        return ()
