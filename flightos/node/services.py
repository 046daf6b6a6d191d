"""Which services a node has, by its role, in bus order."""

from __future__ import annotations

from collections.abc import Sequence

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.dictionary import ServiceDictionary
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


def services_of(configuration: NodeConfiguration, dictionaries: Sequence[ServiceDictionary]) -> list[Service]:
    """Satellites have all ten; stations and ground only what carries bundles, commands and telemetry."""
    if configuration.role == Role.SATELLITE:
        return [
            CommandingService(configuration, dictionaries),
            DeploymentService(configuration, dictionaries),
            ResourcesService(configuration),
            HealthService(configuration),
            SchedulingService(configuration),
            ComputeService(configuration),
            StorageService(configuration),
            NetworkService(configuration),
            LinksService(configuration),
            TelemetryService(configuration, dictionaries),
        ]
    return [
        CommandingService(configuration, dictionaries),
        DeploymentService(configuration, dictionaries),
        NetworkService(configuration),
        LinksService(configuration),
        TelemetryService(configuration, dictionaries),
    ]
