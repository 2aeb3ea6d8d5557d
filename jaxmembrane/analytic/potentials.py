"""Equilibrium and zero-current potentials, Donnan equilibrium, osmotic pressure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp

from .. import constants
from ..naming import UnknownName, unknown
from ..species import KNOWN

BODY = 310.15
"""Body temperature, K."""


def thermal_voltage(T: Any = BODY) -> Any:
    """R T / F, mV.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> round(analytic.thermal_voltage(310.15), 4)
    26.7267
    """
    return constants.R * T / constants.F


def nernst(z: Any, c_o: Any, c_i: Any, T: Any = BODY) -> Any:
    """Nernst potential ``E = (RT / zF) ln(c_o / c_i)``, mV; not finite for z = 0.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> f"{analytic.nernst(+1, 4.0, 140.0):.1f}"
    '-95.0'
    """
    return thermal_voltage(T) / z * jnp.log(c_o / c_i)


def ghk_potential(
    P: Mapping[str, Any], inside: Mapping[str, Any], outside: Mapping[str, Any], T: Any = BODY
) -> Any:
    """Goldman-Hodgkin-Katz potential of monovalent ions at zero net leak current, mV.

    ``V = (RT/F) ln[(sum_+ P c_o + sum_- P c_i) / (sum_+ P c_i + sum_- P c_o)]``

    Parameters
    ----------
    P, inside, outside : mapping
        Ion name to relative permeability, and to concentrations (mM).

    Raises
    ------
    UnknownName
        For an ion that the package does not know (a `KeyError`).
    ValueError
        For an ion that is not monovalent.

    Notes
    -----
    Source: Hodgkin & Katz 1949, doi:10.1113/jphysiol.1949.sp004310.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> V = analytic.ghk_potential({"K": 1, "Na": 0.05}, {"K": 140, "Na": 12}, {"K": 4, "Na": 145})
    >>> f"{V:.2f}"
    '-67.50'
    """
    above: Any = 0.0
    below: Any = 0.0
    for name, permeability in P.items():
        if name not in KNOWN:
            raise UnknownName(unknown("ion", name, KNOWN))
        z = KNOWN[name].z
        if abs(z) != 1:
            raise ValueError(f"the GHK potential holds for monovalent ions; {name} has valence {z}")
        first, second = (outside, inside) if z > 0 else (inside, outside)
        above = above + permeability * first[name]
        below = below + permeability * second[name]
    return thermal_voltage(T) * jnp.log(above / below)


def mullins_noda(
    P_K: Any, P_Na: Any, K_i: Any, Na_i: Any, K_o: Any, Na_o: Any, r: float = 1.5, T: Any = BODY
) -> Any:
    """Resting potential of GHK leaks with a pump of Na:K ratio r and no cotransport, mV.

    ``V = (RT/F) ln[(r P_K K_o + P_Na Na_o) / (r P_K K_i + P_Na Na_i)]``

    Notes
    -----
    Source: Mullins & Noda 1963, doi:10.1085/jgp.47.1.117. With KCC2 or NKCC1 it does not hold.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> f"{analytic.mullins_noda(1.0, 0.05, 140.0, 12.0, 4.0, 145.0):.2f}"
    '-73.92'
    """
    ratio = (r * P_K * K_o + P_Na * Na_o) / (r * P_K * K_i + P_Na * Na_i)
    return thermal_voltage(T) * jnp.log(ratio)


def chord_potential(g: Mapping[str, Any], E: Mapping[str, Any], pump_current: Any = 0.0) -> Any:
    """Potential at zero net current of ohmic leaks and a pump, ``V = (sum g E - I_p) / sum g``, mV.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> round(analytic.chord_potential({"K": 0.7, "Na": 0.2}, {"K": -95.0, "Na": 66.6}), 2)
    -59.09
    """
    weighted: Any = -pump_current
    total: Any = 0.0
    for name, conductance in g.items():
        weighted = weighted + conductance * E[name]
        total = total + conductance
    return weighted / total


def osmotic_pressure(osmolarity: Any, T: Any = BODY) -> Any:
    """Van 't Hoff pressure ``R T c`` of an osmolarity difference, Pa.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> round(analytic.osmotic_pressure(40.0) / 1000, 1)  # kPa
    103.1
    """
    return constants.R * T * osmolarity


class Donnan(NamedTuple):
    """A passive rigid compartment: potential (mV), ions and osmotic excess (mM)."""

    V: Any
    cation: Any
    anion: Any
    excess: Any


def donnan(c: Any, x: Any, z: Any, T: Any = BODY) -> Donnan:
    """Donnan equilibrium of a rigid compartment in a salt of concentration c.

    With impermeant x (mM) of charge z: ``V = (RT/F) asinh(z x / 2c)``, cations ``c exp(-V F/RT)``,
    anions ``c exp(V F/RT)``, osmotic excess ``2c (cosh(V F/RT) - 1) + x``.

    Notes
    -----
    Source: Donnan 1911, doi:10.1002/bbpc.19110171405.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> bag = analytic.donnan(150.0, 100.0, -1.0)
    >>> f"{bag.V:.4f} mV, {bag.cation:.3f} and {bag.anion:.3f} mM"
    '-8.7516 mV, 208.114 and 108.114 mM'
    """
    u = jnp.arcsinh(z * x / (2.0 * c))
    return Donnan(
        thermal_voltage(T) * u, c * jnp.exp(-u), c * jnp.exp(u), 4.0 * c * jnp.sinh(u / 2) ** 2 + x
    )
