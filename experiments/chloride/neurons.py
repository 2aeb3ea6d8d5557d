"""The neuron of all three parts: the published one, with a chloride switch and GABA-A receptors."""

from functools import cache

import jaxmembrane as jm
from jaxmembrane.constants import F, R

UPTAKE = 0.04
"""NKCC1 at full activity, amol/um^2/s for each unit of ln(force)."""

SPREAD = 0.25
"""Standard deviation of ln(strength) in the population."""

STRENGTHS = ("leak_Na.g", "leak_K.g", "leak_Cl.g", "kcc2.g", "nkcc1.g", "nka.j")


@cache
def neuron() -> jm.Cell:
    """The published neuron, whose KCC2 and NKCC1 follow WNK-SPAK, and its GABA-A receptors.

    At ``wnk = 0`` NKCC1 is silent and receptors are closed: it is then the published neuron itself.
    The receptors pass Cl alone, so that E_GABA is E_Cl.
    """
    published = jm.zoo.neuron()
    T = published.nominal()["T"]
    kcc2 = next(t for t in published.transporters if t.name == "kcc2")
    return jm.Cell(
        [
            *(t for t in published.transporters if t.name != "kcc2"),
            kcc2.regulated(jm.wnk_spak("inhibits")),
            jm.nkcc1("log", g=UPTAKE * F**2 / (R * T)).regulated(
                jm.wnk_spak("activates", basal=0.0)
            ),
            jm.channel("gaba_a", {jm.Cl: 1.0}, law="ohmic", g=0.0),
        ],
        dict(published.overrides),
        area="cylinder",
    )


def immature() -> dict[str, float]:
    """Parameters with which it is the immature neuron of the zoo, at ``wnk = 0``."""
    given = jm.zoo.neuron_immature().nominal()
    return {name: given[name] for name in ("kcc2.g", "nkcc1.g")} | {"nkcc1.wnk_basal": 1.0}


def spread(**axes: jm.Uniform) -> jm.Space:
    """A population with spread strengths, and whatever else varies."""
    given = neuron().nominal()
    return jm.Space({name: jm.LogNormal(given[name], SPREAD) for name in STRENGTHS} | axes)
