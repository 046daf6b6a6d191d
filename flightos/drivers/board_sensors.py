"""Sensors of a board as Linux shows them: files that hold a number."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flightos.core.configuration import HeatConfiguration, PowerConfiguration
from flightos.core.ports import PowerSampled, TemperatureSampled

ZERO_CELSIUS_MK: Final = 273_150
FULL_SUN_E6: Final = 1_000_000


class BoardSensors:
    """Read once a second. A quantity without a file is constant; a file that fails repeats nothing: no sample."""

    def __init__(
        self,
        temperature_file: Path | None,
        power_file: Path | None,
        power: PowerConfiguration,
        heat: HeatConfiguration,
    ) -> None:
        self._temperature_file = temperature_file
        self._power_file = power_file
        self._power = power
        self._heat = heat

    def sample(self) -> list[PowerSampled | TemperatureSampled]:
        """What the board feels now; a sensor that cannot be read is silent, which health notices."""
        samples: list[PowerSampled | TemperatureSampled] = []
        load_mw = self._load_mw()
        if load_mw is not None:
            # On mains the charge neither falls nor rises.
            samples.append(
                PowerSampled(self._power.soc_ratio_e6_start, self._power.array_mw, load_mw, FULL_SUN_E6)
            )
        temperature_mk = self._temperature_mk()
        if temperature_mk is not None:
            samples.append(TemperatureSampled(temperature_mk))
        return samples

    def _load_mw(self) -> int | None:
        """Power sensors of Linux (hwmon, power supply) count microwatts."""
        if self._power_file is None:
            return self._power.bus_mw
        microwatts = read_number(self._power_file)
        return None if microwatts is None else microwatts // 1_000

    def _temperature_mk(self) -> int | None:
        """Thermal zones of Linux count thousandths of a degree Celsius."""
        if self._temperature_file is None:
            return self._heat.temperature_mk_start
        millidegrees = read_number(self._temperature_file)
        return None if millidegrees is None else millidegrees + ZERO_CELSIUS_MK


def read_number(path: Path) -> int | None:
    """The integer in a file, or None."""
    try:
        return int(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
