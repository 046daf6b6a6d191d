"""How a command ends: exit status and words on stderr, the same for every subcommand.

0 ok, 1 the run failed its own criteria, 2 usage or configuration, 3 infrastructure, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from flightos.core.errors import ConfigError, FlightosError, InfrastructureError


class Ending(IntEnum):
    """Exit status of the process."""

    OK = 0
    CRITERIA_FAILED = 1
    USAGE = 2
    INFRASTRUCTURE = 3
    INTERRUPTED = 130


class CommandEnded(Exception):
    """Ends the command with a status; what there was to say has been said."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.name)
        self.ending = ending


def say(text: str) -> None:
    """Talk goes to stderr, so that stdout holds data only."""
    print(text, file=sys.stderr, flush=True)


def usage_error(*lines: str) -> CommandEnded:
    """Say what is wrong with the command line or a file; raise the result."""
    for line in lines:
        say(f"error: {line}" if line is lines[0] else line)
    return CommandEnded(Ending.USAGE)


@contextmanager
def endings() -> Iterator[None]:
    """Turn errors into words and a CommandEnded. A broken pipe of the reader is a quiet end."""
    try:
        yield
    except ConfigError as error:
        count = len(error.faults)
        say(f"error: {count} fault{'s' if count != 1 else ''} found, nothing started")
        for fault in error.faults:
            say(f"  {fault}")
        raise CommandEnded(Ending.USAGE) from error
    except InfrastructureError as error:
        say(f"error: {error}")
        raise CommandEnded(Ending.INFRASTRUCTURE) from error
    except BrokenPipeError as error:
        # The reader of our output (head, less) has gone; keep the interpreter from complaining at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CommandEnded(Ending.OK) from error
    except OSError as error:
        reason = error.strerror or str(error)
        hint = " (no space is left)" if error.errno == errno.ENOSPC else ""
        say(f"error: {error.filename or 'operating system'}: {reason}{hint}")
        raise CommandEnded(Ending.INFRASTRUCTURE) from error
    except KeyboardInterrupt as error:
        say("interrupted")
        raise CommandEnded(Ending.INTERRUPTED) from error
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("flightos", "sil"):
            traceback.print_exc()
        say(
            f"error: the package {error.name!r} is not installed; this command needs: pip install 'flightos[all]'"
        )
        raise CommandEnded(Ending.INFRASTRUCTURE) from error
    except FlightosError as error:
        say(f"error: {type(error).__name__}: {error}")
        raise CommandEnded(Ending.INFRASTRUCTURE) from error
    except (CommandEnded, SystemExit):
        raise
    except Exception as error:  # a mistake of ours: its story is wanted, and it is not the run that failed
        traceback.print_exc()
        say(f"error: {type(error).__name__}: {error} (a fault of flightos itself; the lines above say where)")
        raise CommandEnded(Ending.INFRASTRUCTURE) from error
