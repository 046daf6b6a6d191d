"""Add new ids to dictionary.lock: `python tests/house/lock_dictionary.py`. Lines that are there are never changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from flightos.ground.acceptance_interface import DICTIONARY as ACCEPTANCE  # noqa: E402
from flightos.node.dictionary import service_dictionaries  # noqa: E402
from flightos.node.dictionary_lock import extended_lock, lock_faults  # noqa: E402


def main() -> int:
    """Extend the lock; exit status 1 when a published id has changed its meaning."""
    lock = ROOT / "dictionary.lock"
    dictionaries = service_dictionaries([ACCEPTANCE])
    text = extended_lock(lock.read_text(encoding="utf-8") if lock.exists() else "", dictionaries)
    faults = lock_faults(text, dictionaries)
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        lock.write_text(text, encoding="utf-8")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
