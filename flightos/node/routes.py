"""Who receives what: the one table of the bus, in order of delivery.

EDGE is the node's border between records and bytes; PORT is what leaves the node to its drivers; ADDRESSEE is the
one service that a command names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flightos.core import ports
from flightos.core.records import Record
from flightos.services.commanding import interface as commanding
from flightos.services.compute import interface as compute
from flightos.services.deployment import interface as deployment
from flightos.services.health import interface as health
from flightos.services.links import interface as links
from flightos.services.network import interface as network
from flightos.services.resources import interface as resources
from flightos.services.scheduling import interface as scheduling
from flightos.services.storage import interface as storage
from flightos.services.telemetry import interface as telemetry

EDGE: Final = "edge"
PORT: Final = "port"
ADDRESSEE: Final = "addressee"

SERVICE_ORDER: Final = (
    "commanding",
    "deployment",
    "resources",
    "health",
    "scheduling",
    "compute",
    "storage",
    "network",
    "links",
    "telemetry",
    "acceptance",
    "executive",
)
"""Order of wake-ups and of housekeeping; acceptance exists on the ground only."""

ROUTES: Final[Mapping[type[Record], tuple[str, ...]]] = {
    # devices -> services
    ports.NodeBooted: (EDGE, *(name for name in SERVICE_ORDER if name not in ("commanding", "deployment"))),
    ports.TimeSampled: ("commanding", "resources", "health", "scheduling", "network", "links", "telemetry"),
    ports.PowerSampled: ("resources",),
    ports.TemperatureSampled: ("resources",),
    ports.RadiationSampled: ("health",),
    ports.TerminalReported: ("resources", "links"),
    ports.ImageCaptured: ("scheduling",),
    ports.ImageFailed: ("scheduling",),
    ports.WorkFinished: ("compute",),
    ports.WorkFailed: ("compute",),
    ports.TableUploaded: ("deployment",),
    # devices -> edge: bytes
    ports.FrameReceived: (EDGE,),
    ports.CommandReceived: (EDGE,),
    ports.ContentArrived: (EDGE,),
    # edge -> services
    links.HelloFrameReceived: ("links",),
    links.AcknowledgementFrameReceived: ("links",),
    links.BundleFrameReceived: ("links",),
    links.FrameRejected: ("links",),
    links.BundleBytesMissing: ("links",),
    network.BundleDelivered: ("scheduling", "storage", "acceptance"),
    commanding.CommandPacketReceived: ("commanding",),
    commanding.CommandPacketRejected: ("commanding",),
    # commanding and deployment
    commanding.CommandDispatched: (ADDRESSEE,),
    commanding.CommandCompleted: ("commanding",),
    commanding.ResetCounters: SERVICE_ORDER,
    commanding.CommandSequenceActivated: ("commanding",),
    network.ContactPlanActivated: ("health", "network", "links"),
    resources.EclipseForecastActivated: ("resources",),
    deployment.TableActivated: (),
    deployment.TableRefused: (),
    # links and network
    links.LinkOpened: ("resources", "health", "scheduling", "network"),
    links.LinkClosed: ("resources", "health", "scheduling", "network"),
    links.HelloReceived: ("health", "scheduling"),
    links.BundleArrived: ("network",),
    links.BundleForwarded: ("network",),
    links.BundleRepeated: ("network",),
    links.BundleReturned: ("network",),
    links.OfferGossip: ("links",),
    links.HoldOffRelays: ("links",),
    links.ForwardBundle: ("links",),
    links.SendFrame: (EDGE,),
    links.SendBundleFrame: (EDGE,),
    network.SendBundle: ("network",),
    network.ConfirmDelivery: ("network",),
    network.BundleDropped: ("scheduling", "storage"),
    network.OpenBundle: (EDGE,),
    # power, health
    resources.ForecastMade: ("health", "scheduling", "compute"),
    health.ModeChanged: ("resources", "scheduling", "compute"),
    health.ChangeMode: ("health",),
    health.PeerSuspected: (),
    health.PeerDeclared: ("scheduling", "network"),
    health.PeerRecovered: ("scheduling", "network"),
    health.PeerSeen: ("health",),
    # work
    scheduling.RequestObservation: ("scheduling",),
    scheduling.ImagingChanged: ("resources",),
    scheduling.ObservationAdmitted: (),
    scheduling.TaskPlaced: (),
    scheduling.TaskStateChanged: (),
    compute.ExecuteTask: ("compute",),
    compute.CancelExecution: ("compute",),
    compute.ExecutionStarted: ("scheduling",),
    compute.ExecutionFinished: ("health", "scheduling"),
    compute.ExecutionFailed: ("health", "scheduling"),
    compute.ComputeLoadChanged: ("resources", "scheduling"),
    storage.KeepContent: ("storage",),
    storage.ReleaseContent: ("storage",),
    storage.DiscardContent: ("storage",),
    storage.ContentRefused: ("scheduling",),
    storage.ProductReady: ("storage",),
    storage.ProductReleased: ("scheduling",),
    # telemetry
    telemetry.ReportEvent: ("telemetry",),
    telemetry.CollectHousekeeping: ("executive",),
    telemetry.HousekeepingCollected: ("telemetry",),
    telemetry.VerificationReported: ("telemetry",),
    # requests to devices
    ports.PointTerminal: (PORT,),
    ports.TransmitFrame: (PORT,),
    ports.CaptureImage: (PORT,),
    ports.StartWork: (PORT,),
    ports.AbortWork: (PORT,),
    ports.ReportLoads: (PORT,),
    ports.EmitPacket: (PORT,),
    ports.AcceptProduct: (PORT,),
    ports.ArchiveDownlink: (PORT,),
    ports.StoreBytes: (EDGE,),
    ports.DropContent: (EDGE,),
}
