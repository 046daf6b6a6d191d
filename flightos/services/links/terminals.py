"""Terminals as resources: what they are doing, and at whom they should point.

Theory of operation. A laser has one permanent neighbour and points at it from boot on. A radio points at the other
end of the contact that the contact plan names: `acquisition_ns` before its start, stowed after its stop. A wire is
never pointed and counts as tracked from boot on. What a terminal is doing is what its driver reports; the declared
table below tells which reports make sense. One thing needs no report: a terminal told to turn away from a peer has
left it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ports import TerminalState
from flightos.core.time import NEVER_NS, NS_PER_S
from flightos.services.network.interface import Contact

STOWED: Final = TerminalState.STOWED
POINTING: Final = TerminalState.POINTING
ACQUIRING: Final = TerminalState.ACQUIRING
TRACKING: Final = TerminalState.TRACKING
LOST: Final = TerminalState.LOST

RETRY_NS: Final = 5 * NS_PER_S
"""Pause between a loss and the next attempt to acquire: one that fails must not be repeated every second."""
PLAN_MARGIN_NS: Final = 2 * NS_PER_S
"""A link that closes this near to the end of its contact closes as planned: the plan is a prediction."""

TRANSITIONS: Final[Mapping[tuple[TerminalState, TerminalState], TerminalState]] = {
    (STOWED, STOWED): STOWED,
    (STOWED, POINTING): POINTING,
    (STOWED, ACQUIRING): ACQUIRING,
    (STOWED, TRACKING): TRACKING,  # the first report after a restart of this node
    (POINTING, ACQUIRING): ACQUIRING,
    (POINTING, POINTING): POINTING,  # turned to another peer on the way
    (POINTING, TRACKING): TRACKING,  # a terminal that acquires at once
    (POINTING, STOWED): STOWED,
    (ACQUIRING, POINTING): POINTING,
    (ACQUIRING, ACQUIRING): ACQUIRING,
    (ACQUIRING, TRACKING): TRACKING,
    (ACQUIRING, LOST): LOST,
    (ACQUIRING, STOWED): STOWED,
    (TRACKING, TRACKING): TRACKING,  # light time or rate changed
    (TRACKING, POINTING): POINTING,
    (TRACKING, ACQUIRING): ACQUIRING,  # the other end began anew
    (TRACKING, LOST): LOST,
    (TRACKING, STOWED): STOWED,
    (LOST, POINTING): POINTING,
    (LOST, ACQUIRING): ACQUIRING,
    (LOST, TRACKING): TRACKING,  # a wire that is mended
    (LOST, LOST): LOST,
    (LOST, STOWED): STOWED,
}
"""(state, reported) -> state. An absent pair (only what was acquired or tracked can be lost) changes nothing, is
counted, and is an event."""


class Terminal(msgspec.Struct, array_like=True):
    """One terminal: `target_id` is where it should point (0 = stowed), `pointed_id` where it was last told to
    point, `peer_id` the peer of its driver's last report."""

    index: int
    kind: str
    peer_ids: tuple[int, ...]
    acquisition_ns: int
    target_id: int = 0
    pointed_id: int = 0
    peer_id: int = 0
    state: TerminalState = TerminalState.STOWED
    light_time_ns: int = 0
    rate_bps: int = 0
    point_due_obt_ns: int = 0
    """Not pointed again before this time."""
    contacts: list[Contact] = []
    """Radio only: its contacts of the plan, in order of start."""
    contact_index: int = 0
    """First contact that is not over."""


def make_terminals(configuration: NodeConfiguration) -> dict[int, Terminal]:
    """All terminals, stowed, by index; lasers aim at the permanent neighbours in order, wires at their peer."""
    terminals: dict[int, Terminal] = {}
    neighbours = list(configuration.neighbour_ids)
    for made in configuration.terminals:
        terminal = Terminal(made.index, made.kind, made.peer_ids, made.acquisition_ns)
        if made.kind == "laser":
            terminal.target_id = next((peer for peer in neighbours if peer in made.peer_ids), 0)
            if terminal.target_id:
                neighbours.remove(terminal.target_id)
        elif made.kind == "wire":
            terminal.target_id = made.peer_ids[0]
            terminal.rate_bps = made.rate_bps
        terminals[made.index] = terminal
    return terminals


def assign_contacts(terminal: Terminal, contacts: Sequence[Contact], node_id: int) -> None:
    """Give a radio its contacts of a new plan."""
    peers = terminal.peer_ids
    terminal.contacts = [c for c in contacts if other_end(c, node_id) in peers]
    terminal.contact_index = 0


def aim_radio(terminal: Terminal, node_id: int, now_tai_ns: int) -> int:
    """Set `target_id` of a radio by its contacts; gives the TAI time of the next change when it is stowed.

    Contacts are served in order of start: where two overlap, the first keeps the terminal until it stops.
    """
    contacts = terminal.contacts
    index = terminal.contact_index
    while index < len(contacts) and contacts[index].stop_tai_ns <= now_tai_ns:
        index += 1
    terminal.contact_index = index
    terminal.target_id = 0
    while index < len(contacts):
        contact = contacts[index]
        point_tai_ns = contact.start_tai_ns - terminal.acquisition_ns
        if point_tai_ns >= now_tai_ns + NS_PER_S:
            return point_tai_ns
        if contact.stop_tai_ns > now_tai_ns:
            terminal.target_id = other_end(contact, node_id)
            return contact.stop_tai_ns
        index += 1
    return NEVER_NS


def other_end(contact: Contact, node_id: int) -> int:
    """The peer in a contact of this node; 0 when the contact is not of this node."""
    if contact.node_a_id == node_id:
        return contact.node_b_id
    if contact.node_b_id == node_id:
        return contact.node_a_id
    return 0


def is_in_contact(contacts: Sequence[Contact], node_id: int, peer_id: int, now_tai_ns: int) -> bool:
    """True when the plan has a contact with the peer now that is not about to end."""
    return any(
        c.start_tai_ns <= now_tai_ns < c.stop_tai_ns - PLAN_MARGIN_NS and other_end(c, node_id) == peer_id
        for c in contacts
    )
