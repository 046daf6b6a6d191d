"""`flightos node NODE.toml`: be one node on this machine."""

from __future__ import annotations

from pathlib import Path

from flightos.commands.endings import Ending, say
from flightos.commands.runs import private_files


def run_node(file: Path, duration_s: float | None) -> Ending:
    """Check the file, then live until stopped. What is written is for the user only."""
    with private_files():
        return _run_node(file, duration_s)


def _run_node(file: Path, duration_s: float | None) -> Ending:
    from flightos.node.configuration import load_node
    from flightos.node.dictionary import service_dictionaries
    from flightos.node.dictionary_export import dictionary_document
    from flightos.run import live, write_manifest

    board = load_node(file)
    board.store_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = dictionary_document(service_dictionaries())
    write_manifest(board, document, "running")
    say(
        f"node {board.node.node_id} ({board.node.name}) listens at {board.listen}; data in {board.store_folder}"
    )
    live(board, duration_s)
    write_manifest(board, document, "finished")
    return Ending.OK
