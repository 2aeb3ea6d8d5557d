"""Water: what crosses a membrane, its permeability, and the pressure of an elastic wall."""

from typing import Any

import jax.numpy as jnp

from .. import constants
from .potentials import BODY, osmotic_pressure

WATER = 1.8e-5
"""Molar volume of water, um^3/amol (18 cm^3/mol)."""


def water_permeability(P_f: Any, v_w: Any = WATER) -> Any:
    """Water permeability ``L_w = P_f v_w``, um/s/mM, of an osmotic permeability P_f (um/s).

    Parameters
    ----------
    P_f : array
        Osmotic (filtration) permeability, um/s.
    v_w : array
        Molar volume of water, um^3/amol.

    Notes
    -----
    Source: Finkelstein 1987, Water Movement through Lipid Bilayers, Pores, and Plasma Membranes
    (Wiley). ``membrane.L_w`` is this number.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> f"{analytic.water_permeability(150.0):.4g} um/s/mM"
    '0.0027 um/s/mM'
    """
    return P_f * v_w


def hydraulic_conductivity(L_w: Any, T: Any = BODY) -> Any:
    """Hydraulic conductivity ``L_p = L_w / (R T)``, um/s/Pa: water flow per area and pressure.

    Plant membranes are measured so; the inverse is ``L_w = osmotic_pressure(L_p)``.

    Parameters
    ----------
    L_w : array
        Water permeability, um/s/mM.
    T : array
        Temperature, K.

    Notes
    -----
    Source: Kedem & Katchalsky 1958, Biochim Biophys Acta 27:229.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> f"{1e6 * analytic.hydraulic_conductivity(2.7e-3):.3f} um/s/MPa"
    '1.047 um/s/MPa'
    """
    return L_w / (constants.R * T)


def water_flow(
    L_w: Any, area: Any, inside: Any, outside: Any, pressure: Any = 0.0, T: Any = BODY
) -> Any:
    """Flow of water into a compartment, um^3/s: ``dw/dt = L_w A [Pi_i - Pi_o - dP/(R T)]``.

    Parameters
    ----------
    L_w : array
        Water permeability, um/s/mM.
    area : array
        Membrane area, um^2.
    inside, outside : array
        Osmolarities, mM.
    pressure : array
        Hydrostatic pressure inside above that outside, Pa.
    T : array
        Temperature, K.

    Notes
    -----
    Source: Kedem & Katchalsky 1958, Biochim Biophys Acta 27:229, with no solute dragged along; the
    check value below has the constants of Duesterwald et al. 2018, doi:10.7554/eLife.39575.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> f"{analytic.water_flow(2.7e-3, 785.4, 300.0, 297.0):.5f} um^3/s"
    '6.36174 um^3/s'
    """
    return L_w * area * (inside - outside - pressure / osmotic_pressure(1.0, T))


def turgor(volume: Any, wall_volume: Any, modulus: Any) -> Any:
    """Pressure of an elastic wall, Pa: ``modulus ln(w / w_0)`` above w_0, zero below.

    Below the volume at which it goes slack a wall neither pushes nor pulls.

    Parameters
    ----------
    volume : array
        Water volume w, um^3.
    wall_volume : array
        Volume w_0 at which the wall is just not stretched, um^3.
    modulus : array
        Volumetric elastic modulus dP / d ln w, Pa.

    Notes
    -----
    Source: Steudle, Zimmermann & Luettge 1977, Plant Physiol 59:285, doi:10.1104/pp.59.2.285.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> f"{analytic.turgor(1050.0, 1000.0, 1e7) / 1e6:.3f} MPa"
    '0.488 MPa'
    """
    return modulus * jnp.log(jnp.maximum(volume / wall_volume, 1.0))
