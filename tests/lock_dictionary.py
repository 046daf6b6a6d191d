"""Add the ids that are new to dictionary.lock: `python tests/lock_dictionary.py`. Nothing that is there changes."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from flightos.ground.acceptance_interface import DICTIONARY as ACCEPTANCE  # noqa: E402
from flightos.node.dictionary import service_dictionaries  # noqa: E402
from flightos.node.dictionary_lock import extended_lock, lock_faults  # noqa: E402

LOCK = ROOT / "dictionary.lock"


def main() -> int:
    """Write the extended lock; exit 1 when an id that is locked means something else now."""
    dictionaries = service_dictionaries((ACCEPTANCE,))
    text = extended_lock(LOCK.read_text() if LOCK.exists() else "", dictionaries)
    LOCK.write_text(text)
    faults = lock_faults(text, dictionaries)
    print("\n".join(faults) or f"{LOCK.name}: {len(text.splitlines()) - 1} ids")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
