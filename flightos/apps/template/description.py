"""What the template does with every tile: one task, `measure`, whose result is the product."""

from __future__ import annotations

from typing import Final

from flightos.apps.interface import TILE_INPUT, AppDescription, TaskTemplate

DESCRIPTION: Final = AppDescription(
    name="template",
    apid=0x102,
    module="flightos.apps.template.steps",
    tasks=(
        TaskTemplate(name="measure", step="measure", inputs=(TILE_INPUT,), tera_ops=100, result_bytes=256),
    ),
    finish_inputs=("measure",),
    cost_note="100 tera-operations a tile, a round number",
)
