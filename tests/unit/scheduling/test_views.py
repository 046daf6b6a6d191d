"""What satellites tell each other: who hears what, how fast, and that a quiet constellation is quiet."""

from __future__ import annotations

import msgspec

from flightos.core.records import Record
from flightos.core.time import NS_PER_S
from flightos.services.compute.interface import ComputeLoadChanged
from flightos.services.links.interface import HelloReceived, LinkOpened, OfferGossip
from flightos.services.scheduling.codec import GOSSIP_LENGTH_BYTES, decode_gossip, encode_gossip
from flightos.services.scheduling.interface import NodeView
from flightos.services.scheduling.service import SchedulingService
from flightos.services.scheduling.views import gossip
from tests.unit.scheduling.cluster import RATE_BPS, Cluster, configuration_of


def view_of(node_id: int, version: int = 5, hop_count: int = 0, boot_count: int = 0) -> NodeView:
    """A view of somebody."""
    return NodeView(node_id, boot_count, version, True, 2, 100, 0, 10**8, 1_000, hop_count)


def hello(peer_id: int, *views: NodeView) -> HelloReceived:
    """Gossip of a neighbour."""
    return HelloReceived(peer_id, 0, 0, encode_gossip(views))


def test_everybody_knows_everybody_within_a_few_seconds() -> None:
    """A ring of eight: views travel one hop a second, both ways round, and know how far they came."""
    cluster = Cluster([100] * 8)
    cluster.run(6)
    for node_id, member in cluster.members.items():
        views = member.scheduling.state.views
        assert sorted(views) == [other for other in cluster.members if other != node_id]
        for other, entry in views.items():
            distance = abs(other - node_id)
            assert entry.view.hop_count == min(distance, 8 - distance)


def test_a_quiet_constellation_says_little() -> None:
    """Without change each view goes round once in ten seconds, not every second."""
    cluster = Cluster([100] * 4)
    cluster.run(20)
    before = sum(member.scheduling.state.counters.gossip_sent_count for member in cluster.members.values())
    cluster.run(100)
    after = sum(member.scheduling.state.counters.gossip_sent_count for member in cluster.members.values())
    assert after - before <= 4 * 2 * 10 * 3


def test_a_view_stops_at_the_hop_limit() -> None:
    """One at the limit is neither kept nor passed on."""
    service = SchedulingService(configuration_of(1, (2,), 100, hop_count_max=3))
    service.handle(hello(2, view_of(5, hop_count=2), view_of(6, hop_count=3)), NS_PER_S)
    assert sorted(service.state.views) == [5]
    assert service.state.relayed_ids == []


def test_an_older_version_changes_nothing() -> None:
    """Newest wins, a later boot before a later second; nothing is passed on twice."""
    service = SchedulingService(configuration_of(1, (2,), 100))
    assert service.handle(hello(2, view_of(5, version=9)), NS_PER_S)
    assert not service.handle(hello(2, view_of(5, version=9)), NS_PER_S)
    assert not service.handle(hello(2, view_of(5, version=8)), NS_PER_S)
    assert service.handle(hello(2, view_of(5, version=1, boot_count=1)), NS_PER_S)


def test_news_does_not_go_back_to_its_teller() -> None:
    """A view that came from node 2 goes to node 3 only; a link that opens gets the whole table."""
    service = SchedulingService(configuration_of(1, (2, 3), 100))
    for peer_id in (2, 3):
        service.handle(LinkOpened(peer_id, 0, RATE_BPS), 0)
    service.handle(hello(2, view_of(5)), NS_PER_S)
    out: list[Record] = []
    gossip(service.state, configuration_of(1, (2, 3), 100), 2 * NS_PER_S, out)
    told = {
        offer.peer_id: [view[0] for view in msgspec.msgpack.decode(offer.gossip[GOSSIP_LENGTH_BYTES:])]
        for offer in out
        if isinstance(offer, OfferGossip)
    }
    assert told == {2: [1], 3: [1, 5]}
    (offer,) = service.handle(LinkOpened(2, 0, RATE_BPS), 3 * NS_PER_S)
    assert isinstance(offer, OfferGossip)
    assert [view[0] for view in msgspec.msgpack.decode(offer.gossip[GOSSIP_LENGTH_BYTES:])] == [1, 5]


def test_a_change_of_load_is_told_at_once() -> None:
    """The next second, without waiting for the refresh."""
    cluster = Cluster([100] * 3)
    cluster.run(5)
    cluster.give(1, ComputeLoadChanged(20_000, 7_000, 1))
    cluster.run(2)
    assert cluster.members[2].scheduling.state.views[1].view.queued_tera_ops >= 6_800


def test_offers_of_one_second_are_read_together() -> None:
    """`links` concatenates them; a torn or foreign one spoils the hello as a whole, and is counted."""
    joined = encode_gossip([view_of(5), view_of(6)]) + encode_gossip([view_of(7)])
    views = decode_gossip(joined)
    assert views is not None
    assert [view.node_id for view in views] == [5, 6, 7]
    service = SchedulingService(configuration_of(1, (2,), 100))
    for bad in (joined[:-1], b"\x00", joined + b"\x00\x01\xc1", encode_gossip([view_of(0)])):
        assert decode_gossip(bad) is None
        service.handle(HelloReceived(2, 0, 0, bad), NS_PER_S)
    assert service.state.counters.bad_body_count == 4
    assert not service.state.views
