"""The parts of a cell: baths, compartments, and the membranes between them."""

from collections.abc import Iterable
from dataclasses import dataclass

from .naming import check_name, unknown
from .transport import Transporter

AREAS = {"constant": 0.0, "cylinder": 1 / 2, "sphere": 2 / 3}
"""Ways in which an area follows the volume inside: the exponent of each."""


@dataclass(frozen=True)
class Bath:
    """A compartment whose concentrations are prescribed; its potential is zero.

    It brings the parameters ``bath.<species>`` (mM), ``bath.X`` (impermeant osmolytes, mM) and
    ``bath.z_X`` (their mean charge). It need not be neutral.

    Parameters
    ----------
    name : str
        Owner of those parameters.
    derive : str, optional
        Species whose concentration makes the bath neutral; it is then no parameter.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.Bath("bath", derive="Cl")
    Bath(name='bath', derive='Cl')
    """

    name: str = "bath"
    derive: str | None = None

    def __post_init__(self):
        check_name(self.name, "a bath")


@dataclass(frozen=True)
class Compartment:
    """A compartment with contents: free species, impermeant ``X`` of mean charge ``z_X``, water.

    It brings ``cytosol.X`` (amol), ``cytosol.z_X`` and, where it is rigid, ``cytosol.volume``
    (um^3). Every species that a transporter touches on its side is free.

    Parameters
    ----------
    name : str
        Owner of those parameters.
    volume : {"osmotic", "rigid"}
        Whether water follows osmolarity, or the water volume is given.

    Raises
    ------
    ValueError
        If the name is not an identifier or the kind of volume unknown.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.Compartment("matrix", volume="rigid").name
    'matrix'
    """

    name: str = "cytosol"
    volume: str = "osmotic"

    def __post_init__(self):
        check_name(self.name, "a compartment")
        if self.volume not in ("osmotic", "rigid"):
            raise ValueError(unknown("kind of volume", self.volume, ("osmotic", "rigid")))


@dataclass(frozen=True, init=False)
class Membrane:
    """A membrane between two compartments, with its transporters.

    It brings ``membrane.C_m`` (pF/um^2), ``membrane.L_w`` (um/s/mM, where a side is osmotic) and
    its area: ``membrane.area`` (um^2) for "constant", ``membrane.length`` (um) for "cylinder"
    (fixed length, area 2 sqrt(pi length w)); "sphere" has (36 pi)^(1/3) w^(2/3). w is the water
    volume of the inside.

    Parameters
    ----------
    name : str
        Owner of those parameters.
    transporters : iterable of Transporter
        What sits in it; ``_i`` is the inside, ``_o`` the outside.
    inside, outside : Compartment or Bath
        What it separates; its V is the potential inside minus outside.
    area : {"constant", "cylinder", "sphere"}
        How its area follows the volume inside.

    Raises
    ------
    ValueError, TypeError
        If the two sides are one compartment, the inside is a bath, or an argument has a wrong type.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> cytosol, matrix = jm.Compartment("cytosol"), jm.Compartment("matrix", volume="rigid")
    >>> inner = jm.Membrane(
    ...     "inner", [jm.leak(jm.K, name="inner_K")], inside=matrix, outside=cytosol
    ... )
    >>> inner.area
    'constant'
    """

    name: str
    transporters: tuple[Transporter, ...]
    inside: Compartment
    outside: Compartment | Bath
    area: str

    def __init__(
        self,
        name: str = "membrane",
        transporters: Iterable[Transporter] = (),
        *,
        inside: Compartment = Compartment(),
        outside: Compartment | Bath = Bath(),
        area: str = "constant",
    ):
        check_name(name, "a membrane")
        transporters = tuple(transporters)
        for t in transporters:
            if not isinstance(t, Transporter):
                raise TypeError(f"membrane {name} must hold jm.Transporter objects, not {t!r}")
        if not isinstance(inside, Compartment):
            raise TypeError(
                f"the inside of membrane {name} must be a jm.Compartment, not {inside!r}"
            )
        if not isinstance(outside, (Compartment, Bath)):
            raise TypeError(f"the outside of membrane {name} must be a jm.Bath or a jm.Compartment")
        if inside.name == outside.name:
            raise ValueError(
                f"membrane {name} must separate two compartments, not {inside.name} twice"
            )
        if area not in AREAS:
            raise ValueError(unknown(f"area of membrane {name}", area, AREAS))
        if area != "constant" and inside.volume == "rigid":
            raise ValueError(
                f"membrane {name} around a rigid compartment must have area='constant'"
            )
        values = dict(
            name=name, transporters=transporters, inside=inside, outside=outside, area=area
        )
        for key, value in values.items():
            object.__setattr__(self, key, value)


def water_crosses(m: Membrane) -> bool:
    """Whether a membrane lets water through: both sides must be able to give or take it."""
    osmotic = [isinstance(c, Bath) or c.volume == "osmotic" for c in (m.inside, m.outside)]
    return all(osmotic)
