"""Leaks and channels: passive paths for single ions, written from inside to outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..kinetics.law import Law
from ..kinetics.thermodynamic import ghk, ohmic
from ..naming import check_name
from ..params import Param
from ..species import Species
from ..transport import RateLaw, Site, Transporter, Values
from .build import build, choose, with_nominal

_GHK_SOURCE = "Hodgkin & Katz 1949, J Physiol 108:37, doi:10.1113/jphysiol.1949.sp004310"
_OHMIC_SOURCE = "Duesterwald et al. 2018, eLife 7:e39575, doi:10.7554/eLife.39575"
# A mature neuron: conductances of Duesterwald et al. (2018), and the permeabilities that pass the
# same currents at its rest.
_NOMINAL = {"Na": (6.7e-4, 0.2), "K": (0.012, 0.7), "Cl": (3e-3, 0.2)}


def _laws(what: str, species: str) -> dict[str, Law]:
    permeability, conductance = _NOMINAL.get(species, (1e-3, 0.1))
    return {
        "ghk": Law(
            ghk, {"P": Param(permeability, "um/s", f"permeability of the {what}")}, _GHK_SOURCE
        ),
        "ohmic": Law(
            ohmic, {"g": Param(conductance, "pS/um^2", f"conductance of the {what}")}, _OHMIC_SOURCE
        ),
    }


def _leaving(species: Species) -> str:
    return f"{species.name}_i <-> {species.name}_o"


def leak(
    species: Species, law: str = "ghk", *, name: str | None = None, **nominal: float
) -> Transporter:
    """A leak of one species, ``K_i <-> K_o``, named ``leak_K`` unless told otherwise.

    ==========  =================================================  ====================
    law         turnover J (outward), u = F V/(R T)                strength
    ==========  =================================================  ====================
    ``ghk``     P z u (c_i - c_o exp(-z u)) / (1 - exp(-z u))      ``P`` (um/s)
    ``ohmic``   g (V - E) / (z F)                                  ``g`` (pS/um^2)
    ==========  =================================================  ====================

    The value and derivative of ``ghk`` are exact through V = 0 and z = 0 (then plain diffusion).

    Parameters
    ----------
    species : Species
        What leaks, as in ``jm.K``.
    law, name, **nominal
        As for `na_k_atpase`.

    Raises
    ------
    TypeError
        If `species` is not a `Species`.
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Sources: Goldman 1943, doi:10.1085/jgp.27.1.37; Hodgkin & Katz 1949,
    doi:10.1113/jphysiol.1949.sp004310.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.leak(jm.K, law="ohmic", g=0.7).name
    'leak_K'
    """
    _check_species(species)
    name = name or f"leak_{species.name}"
    laws = _laws(f"{species.name} leak", species.name)
    return build(name, _leaving(species), laws, law, nominal, species=(species,))


def channel(
    name: str, ions: Mapping[Species, float], law: str = "ghk", **nominal: float
) -> Transporter:
    """A channel that passes several ions under one name, each as one leg (``name:ion``).

    Every leg is a `leak` of strength ``P`` (or ``g``) times its relative permeability ``r_<ion>``.

    Parameters
    ----------
    name : str
        Owner of the parameters ``P`` (or ``g``) and ``r_<ion>``.
    ions : mapping
        Species to relative permeability (or conductance), as in ``{jm.K: 1.0, jm.Na: 0.447}``.
    law, **nominal
        As for `leak`.

    Raises
    ------
    TypeError
        If `ions` is not a mapping from species to numbers.
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Source: Hodgkin & Katz 1949, doi:10.1113/jphysiol.1949.sp004310.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> cation = jm.channel("cation", {jm.K: 1.0, jm.Na: 0.447}, P=1e-3)
    >>> [leg.name for leg in cation.legs], cation.charge
    (['cation:K', 'cation:Na'], (-1, -1))
    """
    check_name(name, "a channel")
    if not isinstance(ions, Mapping) or not ions:
        raise TypeError(
            f"ions of channel {name} must map species to relative permeabilities, "
            f"as in {{jm.K: 1.0, jm.Na: 0.4}}, not {ions!r}"
        )
    for species in ions:
        _check_species(species)
    chosen = choose(_laws(f"{name} channel", ""), law, name)
    shares = {
        f"r_{s.name}": Param(share, "1", f"relative permeability of {name} to {s.name}")
        for s, share in ions.items()
    }
    legs = {s.name: (_leaving(s), Share(chosen.rate, f"r_{s.name}")) for s in ions}
    declared = with_nominal({**chosen.params, **shares}, nominal)
    return Transporter(name, legs, params=declared, source=chosen.source, species=tuple(ions))


@dataclass(frozen=True)
class Share:
    """A rate law times one of the transporter's parameters."""

    law: RateLaw
    factor: str

    def __call__(self, s: Site, p: Values) -> Any:
        return p[self.factor] * self.law(s, p)


def _check_species(species: object) -> None:
    if not isinstance(species, Species):
        raise TypeError(f"species must be a jm.Species, as jm.K, not {species!r}")
