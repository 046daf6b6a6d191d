"""Which participants share a process."""

from __future__ import annotations

from flightos.core.configuration import Role
from flightos.core.ids import WORLD_ID
from sil.plan import RunPlan
from sil.processes.protocol import MemberPlan


def members_of(plan: RunPlan, is_wall: bool = False) -> list[MemberPlan]:
    """One process per satellite, one for mission control with its stations, one for the world."""
    members = [
        MemberPlan(index, node.name, (node.node_id,), is_wall=is_wall)
        for index, node in enumerate(node for node in plan.nodes if node.role == Role.SATELLITE)
    ]
    ground_ids = tuple(node.node_id for node in plan.nodes if node.role != Role.SATELLITE)
    members.append(MemberPlan(len(members), "ground", ground_ids, is_wall=is_wall))
    members.append(MemberPlan(len(members), "world", (), hosts_world=True, is_wall=is_wall))
    return members


def member_of_node(plan: RunPlan) -> dict[int, int]:
    """Index of the member that hosts each participant, by participant id."""
    index_of = {node_id: member.index for member in members_of(plan) for node_id in member.node_ids}
    index_of[WORLD_ID] = next(member.index for member in members_of(plan) if member.hosts_world)
    return index_of
