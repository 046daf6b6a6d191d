"""Subcommands that print something this installation knows: scenarios, dictionary, doctor, report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from flightos.commands.endings import Ending, say
from flightos.commands.runs import find_run


def print_json(document: object) -> None:
    """One JSON object on stdout."""
    json.dump(document, sys.stdout, indent=1 if sys.stdout.isatty() else None)
    sys.stdout.write("\n")


def list_scenarios(is_json: bool) -> None:
    """Names and questions of the shipped scenarios."""
    from sil.scenarios.loader import known_scenarios

    known = known_scenarios()
    if is_json:
        print_json(known)
        return
    width = max(map(len, known), default=0)
    for name, question in known.items():
        print(f"{name:<{width}}  {question}")


def print_routes(is_json: bool) -> None:
    """The table of the bus: each record with its receivers, in order of delivery."""
    from flightos.node.routes import ROUTES

    table = {record.__name__: list(receivers) for record, receivers in ROUTES.items()}
    if is_json:
        print_json(table)
        return
    width = max(map(len, table))
    for record, receivers in table.items():
        print(f"{record:<{width}}  {' '.join(receivers) or '-'}")


def print_dictionary(is_json: bool) -> None:
    """The dictionary of this installation, the ground's own services included."""
    from flightos.ground.acceptance_interface import DICTIONARY as ACCEPTANCE
    from flightos.node.dictionary import service_dictionaries
    from flightos.node.dictionary_export import dictionary_document, dictionary_markdown

    dictionaries = service_dictionaries((ACCEPTANCE,))
    if is_json:
        print_json(dictionary_document(dictionaries))
    else:
        print(dictionary_markdown(dictionaries))


def make_report(run: Path | None) -> None:
    """Write the report of a run; its path on stdout."""
    from flightos.ground.report import write_report

    print(write_report(find_run(run)))


def print_findings(is_json: bool) -> Ending:
    """What doctor found; status 3 when this machine cannot fly."""
    from flightos.commands.doctor import as_document, examine

    findings = examine()
    document = as_document(findings)
    if is_json:
        print_json(document)
    else:
        for finding in findings:
            print(f"{finding.verdict:<8} {finding.name:<10} {finding.detail}")
            if finding.remedy:
                print(f"{'':<19} -> {finding.remedy}")
        say("this machine can fly" if document["can_fly"] else "this machine cannot fly yet")
    return Ending.OK if document["can_fly"] else Ending.INFRASTRUCTURE
