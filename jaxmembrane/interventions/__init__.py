"""Interventions of physiologists as protocols: each takes a cell and returns a `Protocol`."""

from collections.abc import Callable

from ..protocol import Protocol
from .drugs import bumetanide as bumetanide
from .drugs import ouabain as ouabain
from .drugs import pump_block as pump_block
from .drugs import vu0463271 as vu0463271
from .recording import dialysis as dialysis
from .recording import gaba_pulse as gaba_pulse
from .recording import gramicidin_patch as gramicidin_patch
from .recording import voltage_clamp as voltage_clamp
from .solutions import bath_exchange as bath_exchange
from .solutions import impermeant as impermeant
from .solutions import osmotic_step as osmotic_step
from .supply import atp_loss as atp_loss
from .supply import light as light
from .supply import wnk_spak as wnk_spak

INTERVENTIONS: dict[str, Callable[..., Protocol]] = {
    made.__name__: made
    for made in (
        ouabain,
        pump_block,
        atp_loss,
        bumetanide,
        vu0463271,
        wnk_spak,
        bath_exchange,
        osmotic_step,
        impermeant,
        gaba_pulse,
        voltage_clamp,
        dialysis,
        gramicidin_patch,
        light,
    )
}
"""All of them, by name."""

UNITS = {
    **dict.fromkeys(("at", "lasting", "over"), "s"),
    **dict.fromkeys(("dose", "K", "ATP", "ADP", "Pi", "concentrations", "osmolyte"), "mM"),
    **{"V": "mV", "g": "pS/um^2", "k": "um/s"},
}
"""Units of their arguments, where these are no pure numbers."""
