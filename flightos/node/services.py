"""Which services a node has, by its role, in bus order."""

from __future__ import annotations

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.records import Service
from flightos.services.commanding.service import CommandingService
from flightos.services.compute.service import ComputeService
from flightos.services.deployment.service import DeploymentService
from flightos.services.health.service import HealthService
from flightos.services.links.service import LinksService
from flightos.services.network.service import NetworkService
from flightos.services.resources.service import ResourcesService
from flightos.services.scheduling.service import SchedulingService
from flightos.services.storage.service import StorageService
from flightos.services.telemetry.service import TelemetryService


def services_of(configuration: NodeConfiguration) -> list[Service]:
    """Satellites have all ten; stations and ground only what carries bundles, commands and telemetry."""
    if configuration.role == Role.SATELLITE:
        return [
            CommandingService(configuration),
            DeploymentService(configuration),
            ResourcesService(configuration),
            HealthService(configuration),
            SchedulingService(configuration),
            ComputeService(configuration),
            StorageService(configuration),
            NetworkService(configuration),
            LinksService(configuration),
            TelemetryService(configuration),
        ]
    return [
        CommandingService(configuration),
        DeploymentService(configuration),
        NetworkService(configuration),
        LinksService(configuration),
        TelemetryService(configuration),
    ]
