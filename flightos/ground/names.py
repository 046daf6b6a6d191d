"""Names an operator types: NODE/service/field with wildcards, the unit in a field's name, the nearest right name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from flightos.core.errors import ConfigError

UNITS: Final[Mapping[str, str]] = {
    "ns": "ns",
    "us": "us",
    "ms": "ms",
    "s": "s",
    "seconds": "s",
    "mw": "mW",
    "w": "W",
    "mj": "mJ",
    "wh": "Wh",
    "mk": "mK",
    "k": "K",
    "degc": "degC",
    "v": "V",
    "a": "A",
    "m": "m",
    "km": "km",
    "rad": "rad",
    "deg": "deg",
    "bytes": "B",
    "bits": "bit",
    "bps": "bit/s",
    "hz": "Hz",
    "ratio": "1",
    "e6": "1e-6",
    "tops": "TOPS",
    "ops": "Top",
    "ppb": "1e-9",
}
QUALIFIERS: Final = ("min", "max", "start", "available")


def unit_of(field: str) -> str:
    """The unit that a field's name carries (STYLE.md, section C); empty for counts, states and numbers."""
    parts = field.rsplit("/", 1)[-1].split("_")
    while len(parts) > 1 and parts[-1] in QUALIFIERS:
        parts.pop()
    return UNITS.get(parts[-1], "") if len(parts) > 1 else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint such as `; nearest: a, b`, or nothing."""
    matches = get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"; nearest: {', '.join(matches)}" if matches else ""


def select(
    pattern: str, node_names: Mapping[int, str], parameters: Sequence[str]
) -> tuple[list[int], list[str]]:
    """Node ids and parameters ('service/field') that `NODE/service/field` names; each part may hold * and ?.

    NODE is a name or a number; parts left out at the end stand for all. Raises ConfigError with the nearest
    right names.
    """
    node_part, _, rest = pattern.partition("/")
    service_part, _, field_part = (rest or "*").partition("/")
    field_part = field_part or "*"
    nodes = [
        node
        for node, name in sorted(node_names.items())
        if fnmatchcase(name, node_part) or fnmatchcase(str(node), node_part)
    ]
    services = sorted({parameter.split("/")[0] for parameter in parameters})
    chosen_services = [service for service in services if fnmatchcase(service, service_part)]
    fields = [parameter for parameter in parameters if parameter.split("/")[0] in chosen_services]
    chosen = [parameter for parameter in fields if fnmatchcase(parameter.split("/")[1], field_part)]
    faults = []
    if not nodes:
        faults.append(f"no node {node_part!r}{nearest(node_part, node_names.values())}")
    if not chosen_services:
        faults.append(f"no service {service_part!r}{nearest(service_part, services)}")
    elif not chosen:
        known = [parameter.split("/")[1] for parameter in fields]
        faults.append(f"no field {field_part!r} in {service_part!r}{nearest(field_part, known)}")
    if faults:
        raise ConfigError([f"{pattern}: {fault}" for fault in faults])
    return nodes, chosen
