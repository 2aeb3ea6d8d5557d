"""Laws of recording devices: they are driven from outside and know nothing of equilibrium."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from ..params import Param
from ..site import Site, Values
from ..species import Species
from .law import Law
from .thermodynamic import bernoulli


def amplifier(s: Site, p: Values) -> Any:
    """Current of an amplifier, ``J = [g (V - V_hold) - I] / (z F)``, z the charge of its ion.

    V_hold is the parameter ``V``.
    """
    return (p.I - p.g * (s.V - p.V)) / (s.charge * s.F)


@dataclass(frozen=True)
class Dialysis:
    """Electrodiffusion into a pipette of no current, ``J = k [c_i B(-z d) - c_p B(z d)]``.

    ``B(x) = x / (exp(x) - 1)``; c_p is what the pipette holds, and d, the potential inside less
    the pipette's over RT/F, is where its currents cancel: ``exp(d)`` is (cations of the pipette
    plus anions inside) over (cations inside plus anions of the pipette).

    Parameters
    ----------
    ions : tuple of Species
        All that pass.
    ion : Species
        Which of them this is.
    """

    ions: tuple[Species, ...]
    ion: Species

    def __call__(self, s: Site, p: Values) -> Any:
        inside, held, z = getattr(s, f"{self.ion.name}_i"), p[self.ion.name], self.ion.z
        if not z:
            return p.k * (inside - held)
        # exp(z d) = (out + c_p) / (back + c_i), of which c_i c_p cancels.
        out: Any = 0.0
        back: Any = 0.0
        for other in (ion for ion in self.ions if ion.z and ion != self.ion):
            pair = p[other.name], getattr(s, f"{other.name}_i")
            there, here = pair if other.z == z else pair[::-1]
            out, back = out + there, back + here
        zd = jnp.log((out + held) / (back + inside))
        return p.k * bernoulli(zd)[0] * (inside * out - held * back) / (back + inside)


AMPLIFIER_LAWS = {
    "amplifier": Law(
        amplifier,
        {
            "g": Param(0.0, "pS/um^2", "conductance of the clamp"),
            "V": Param(-60.0, "mV", "holding potential", "real"),
            "I": Param(0.0, "fA/um^2", "injected current", "real"),
        },
        "derived: a clamp of finite gain, as in Hodgkin, Huxley & Katz 1952, J Physiol 116:424, "
        "doi:10.1113/jphysiol.1952.sp004716",
        irreversible=True,
    )
}

# 130 mM of potassium gluconate, 10 mM of KCl, and Na with ATP.
_PIPETTE = {"Na": 10.0, "K": 140.0, "Cl": 10.0}


def dialysis(ions: Iterable[Species]) -> dict[str, Law]:
    """The law of a pipette that these pass into."""
    ions = tuple(ions)
    held = {
        s.name: Param(_PIPETTE.get(s.name, 0.0), "mM", f"{s.name} in the pipette") for s in ions
    }
    return {
        "electrodiffusion": Law(
            Dialysis(ions, ions[0]),
            {"k": Param(0.0, "um/s", "permeability of the access"), **held},
            "constant field: Hodgkin & Katz 1949, J Physiol 108:37, "
            "doi:10.1113/jphysiol.1949.sp004310; access: Oliva, Cohen & Mathias 1988, Biophys J "
            "54:791, doi:10.1016/S0006-3495(88)83017-0",
            irreversible=True,
        )
    }
