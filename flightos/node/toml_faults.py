"""Checked TOML: every fault at once, each with file, line, key, expected value and nearest right name.

Theory of operation. `tomllib` gives values without places, so a small scan of the text remembers on which
line each key stands. The values are validated by a pydantic model (it finds all faults, not the first); its
findings are put back on their lines. Faulty keys are then left out and the rest is validated again, so that
checks of relations between keys can still run and add what they find.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from flightos.core.errors import ConfigError, InfrastructureError

KeyPath = tuple[str | int, ...]
Values = dict[str, Any]
ModelT = TypeVar("ModelT", bound=BaseModel)

_TABLE: Final = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\"' ]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"^\s*([A-Za-z0-9_\-\"'][A-Za-z0-9_.\-\"' ]*?)\s*=")
_FILE_BYTES_MAX: Final = 1 << 20


class Table(BaseModel):
    """Base of every table of a configuration file: strict types, no unknown keys, frozen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Document:
    """Values of one file (or of several, laid over each other) with the place each key came from."""

    def __init__(self, values: Values, places: dict[KeyPath, str], name: str) -> None:
        """`places` maps a key path to 'file:line'; `name` is said where a key has no place of its own."""
        self.values = values
        self.places = places
        self.name = name

    def place(self, path: KeyPath) -> str:
        """Where a key stands, or the nearest table around it, or the document."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.name

    def fault(self, path: KeyPath, text: str) -> str:
        """One line: place, key, what is wrong. An override is its own place and is not said twice."""
        where, key = self.place(path), dotted(path)
        return f"{where}: {text}" if where.endswith(f" {key}") else f"{where}: {key}: {text}"

    def overlay(self, other: Document) -> Document:
        """This document with the keys of `other` laid over it: tables merge, everything else is replaced."""
        places = {path: place for path, place in self.places.items() if not _is_replaced(path, other)}
        return Document(_merged(self.values, other.values), places | other.places, other.name)


def read_document(path: Path) -> Document:
    """Parse a TOML file. Raises ConfigError for bad syntax, InfrastructureError for an unreadable file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InfrastructureError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > _FILE_BYTES_MAX:
        raise ConfigError([f"{path}: expected at most {_FILE_BYTES_MAX} bytes, found {len(data)}"])
    try:
        text = data.decode("utf-8")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: expected UTF-8 text, found byte {error.start} that is not"]) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError([f"{path}: not TOML: {error}"]) from error
    places = {key: f"{path}:{line}" for key, line in key_lines(text).items()}
    return Document(values, places, str(path))


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line of each table and key of a TOML text; keys inside inline tables have the line of their table."""
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _TABLE.match(line)
        if header:
            table = _parts(header.group(2))
            if header.group(1) == "[[":
                counts[table] = counts.get(table, -1) + 1
                lines.setdefault(table, number)
                table = (*table, counts[table])
            lines[table] = number
            continue
        key = _KEY.match(line)
        if key:
            lines.setdefault((*table, *_parts(key.group(1))), number)
    return lines


def apply_overrides(document: Document, overrides: Mapping[str, str], option: str = "--set") -> Document:
    """Lay `a.b = text` over a document; text is a TOML value, or else plain text. Raises ConfigError."""
    faults: list[str] = []
    values = json.loads(json.dumps(document.values, default=_plain))
    places = dict(document.places)
    for dotted, text in overrides.items():
        path: KeyPath = tuple(int(part) if part.isdigit() else part for part in dotted.split("."))
        fault = _put(values, path, override_value(text))
        if fault:
            faults.append(f"{option} {dotted}: {fault}")
        places[path] = f"{option} {dotted}"
    if faults:
        raise ConfigError(faults)
    return Document(values, places, document.name)


def override_value(text: str) -> Any:
    """The value of a TOML expression, or the bare text where it is none."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return parsed["value"] if list(parsed) == ["value"] else text


def validate(model: type[ModelT], document: Document) -> tuple[ModelT | None, list[str]]:
    """Check a document against a model: the value and its faults.

    With faults the value is what remains when faulty keys take their defaults (None when nothing does): good
    for further checks only, never to be used.
    """
    values = document.values
    faults: list[str] = []
    for _ in range(2):
        try:
            return model.model_validate_json(json.dumps(values, default=_plain)), faults
        except ValidationError as error:
            if faults:
                return None, faults
            values = json.loads(json.dumps(values, default=_plain))
            for finding in error.errors(include_url=False):
                faults.append(_fault(model, document, finding))
            for finding in error.errors(include_url=False):
                _remove(values, _real_path(document.values, finding["loc"]))
    return None, faults


def nearest(name: str, known: Sequence[str]) -> str:
    """', did you mean ...?' with the closest known name, or the list of known ones when none is close."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(sorted(known))}"


def dotted(path: KeyPath) -> str:
    """A key path as it is written on the command line."""
    return ".".join(str(part) for part in path)


def _fault(model: type[BaseModel], document: Document, finding: Mapping[str, Any]) -> str:
    """One finding of pydantic in our words: place, key, what was expected, what was found."""
    path = _real_path(document.values, finding["loc"])
    kind = str(finding["type"])
    if kind == "extra_forbidden":
        return document.fault(
            path, f"unknown key; {nearest(str(path[-1]), _names_at(model, finding['loc'][:-1]))}"
        )
    if kind == "missing":
        return document.fault(path, f"missing; expected a value for {path[-1]!r}")
    if kind == "union_tag_invalid":
        known = [part.strip(" '") for part in str(finding["ctx"]["expected_tags"]).split(",")]
        tag = str(finding["ctx"]["tag"])
        return document.fault((*path, "kind"), f"unknown kind {tag!r}; {nearest(tag, known)}")
    if kind == "union_tag_not_found":
        return document.fault((*path, "kind"), "missing; expected the kind of this entry")
    message = str(finding["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    hint = ""
    if kind == "literal_error" and isinstance(finding["input"], str):
        known = list(re.findall(r"'([^']*)'", str(finding["ctx"]["expected"])))
        close = difflib.get_close_matches(finding["input"], known, n=1, cutoff=0.6)
        hint = f"; did you mean {close[0]!r}?" if close else ""
    return document.fault(path, f"{message}, found {_shown(finding['input'])}{hint}")


def _shown(value: object) -> str:
    """A value in short."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _real_path(values: Any, location: Sequence[str | int]) -> KeyPath:
    """pydantic's location without the tags of unions, which are no keys of the file."""
    path: list[str | int] = []
    here = values
    for index, part in enumerate(location):
        is_last = index == len(location) - 1
        is_entry = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if is_entry or (isinstance(here, dict) and part in here):
            here = here[part]
        elif isinstance(here, dict) and is_last:
            here = None
        else:
            continue
        path.append(part)
    return tuple(path)


def _names_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Names that a table at this location may have."""
    annotation: Any = model
    for part in location:
        options = _models_in(annotation)
        if isinstance(part, int):
            continue
        tagged = [option for option in options if part in _tags(option)]
        if tagged:
            annotation = tagged[0]
            continue
        fields = [option.model_fields[part].annotation for option in options if part in option.model_fields]
        if not fields:
            return []
        annotation = fields[0]
    return sorted({name for option in _models_in(annotation) for name in option.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models named anywhere inside an annotation such as `list[A | B] | None`."""
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _tags(model: type[BaseModel]) -> tuple[str, ...]:
    """Values of the literal field `kind` of a model of a tagged union."""
    field = model.model_fields.get("kind")
    return get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()


def _parts(text: str) -> KeyPath:
    """A dotted key of TOML, without quotes."""
    return tuple(part.strip(" \"'") for part in text.split("."))


def _plain(value: object) -> str:
    """Dates and times of TOML as ISO 8601 text."""
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat()) if isoformat else str(value)


def _merged(below: Values, above: Values) -> Values:
    """Tables merge key by key; a value, also an array, takes the place of what was there."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _is_replaced(path: KeyPath, other: Document) -> bool:
    """True when `other` has a value, not a table, at this key or around it."""
    here: Any = other.values
    for part in path:
        if not isinstance(here, dict):
            return True
        if part not in here:
            return False
        here = here[part]
    return not isinstance(here, dict)


def _put(values: Any, path: KeyPath, value: Any) -> str:
    """Set a value at a path, making tables on the way; returns what was wrong, or an empty text."""
    here = values
    for index, part in enumerate(path):
        is_last = index == len(path) - 1
        if isinstance(here, list):
            if not isinstance(part, int) or part >= len(here):
                at = dotted(path[: index + 1])
                return f"expected an index of 0..{len(here) - 1} at {at!r}, found {part!r}"
        elif not isinstance(here, dict):
            return f"{dotted(path[:index])!r} is a value, expected a table"
        elif isinstance(part, int) or part == "":
            return f"expected a name at {dotted(path[: index + 1])!r}"
        elif not is_last:
            here.setdefault(part, {})
        if is_last:
            here[part] = value
        else:
            here = here[part]
    return ""


def _remove(values: Any, path: KeyPath) -> None:
    """Take a key out; an entry of an array is taken out as a whole."""
    here = values
    for index, part in enumerate(path):
        is_entry = isinstance(here, list) and isinstance(part, int)
        if isinstance(here, dict) and (index == len(path) - 1 or isinstance(here.get(str(part)), list)):
            here.pop(str(part), None)
            return
        if is_entry or isinstance(here, dict):
            try:
                here = here[part]
            except (KeyError, IndexError):
                return
