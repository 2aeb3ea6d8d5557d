"""The parts of a cell: baths, compartments, and the membranes between them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .naming import check_name, unknown
from .params import Param
from .species import KNOWN, Species
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

    def declared(self, contents: Iterable[Species]) -> dict[str, Param]:
        """The parameters that it brings, given what is in it."""
        owned = {
            s.name: Param(_OUTSIDE.get(s.name, 1.0), "mM", f"{s.name} in the {self.name}")
            for s in contents
            if s.name != self.derive
        }
        owned["X"] = Param(29.5, "mM", f"impermeant osmolytes in the {self.name}")
        owned["z_X"] = Param(-1.0, "1", f"mean charge of the impermeant in the {self.name}", "real")
        return {f"{self.name}.{name}": p for name, p in owned.items()}


_OUTSIDE = {
    "Na": 145.0,
    "K": 3.5,
    "Cl": 119.0,
    "Ca": 1.2,
    "Mg": 0.7,
    "H": 4e-5,
    "HCO3": 24.0,
    "Glucose": 5.0,
    "e": 1e-9,
}
_INSIDE = {
    "Na": 14.0,
    "K": 120.0,
    "Cl": 5.0,
    "Ca": 1e-4,
    "Mg": 0.7,
    "H": 6.3e-5,
    "HCO3": 15.0,
    "Glucose": 1.0,
    "e": 1e-9,
}

HELD = {"H": "clamped", "Ca": "clamped", "HCO3": "clamped", "ATP": "clamped", "ADP": "clamped"} | {
    "Pi": "clamped",
    "e": "buffered",
}
"""How a compartment holds a species that it is not told about; all others are free."""


@dataclass(frozen=True, init=False)
class Compartment:
    """A compartment with contents: species, impermeant ``X`` of mean charge ``z_X``, and water.

    A species is one of

    ==========  ==================================================================================
    free        its amount follows from its fluxes
    clamped     held at ``cytosol.Ca`` (mM) by a supply that carries its charge, as a bath or a
                pipette does; what crosses the membrane does not move V
    buffered    held at ``cytosol.HCO3`` (mM) by a neutral reaction, as CO2 holds HCO3 and buffers
                hold H; its current moves V, and its charge stays on the impermeant, whose mean
                charge then is a result: at rest the currents of all buffered species cancel
    ==========  ==================================================================================

    H, Ca, HCO3, ATP, ADP and Pi are clamped unless told otherwise. The compartment brings
    ``cytosol.X`` (amol), ``cytosol.z_X`` and, where it is rigid, ``cytosol.volume`` (um^3). An
    impermeant that is a "protein" has besides a charge that follows pH and an osmotic pressure
    above the ideal one, with x its concentration::

        charge     = z_X - beta_X (pH - pH_X)
        osmolarity = x (1 + b_2 x + b_3 x^2)

    Parameters
    ----------
    name : str
        Owner of those parameters.
    volume : {"osmotic", "rigid"}
        Whether water follows osmolarity, or the water volume is given.
    free, clamped, buffered : iterable of Species or str
        Species that are so, also such as no transporter touches.
    impermeant : {"ideal", "protein"}
        See above.

    Raises
    ------
    ValueError
        If the name is not an identifier, a choice is unknown, or a species is held in two ways.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> cytosol = jm.Compartment(free=[jm.H], buffered=["HCO3"])
    >>> cytosol.kind("H"), cytosol.kind("HCO3"), cytosol.kind("Ca"), cytosol.kind("K")
    ('free', 'buffered', 'clamped', 'free')
    """

    name: str
    volume: str
    kinds: tuple[tuple[Species, str], ...]
    impermeant: str

    def __init__(
        self,
        name: str = "cytosol",
        volume: str = "osmotic",
        *,
        free: Iterable[Species | str] = (),
        clamped: Iterable[Species | str] = (),
        buffered: Iterable[Species | str] = (),
        impermeant: str = "ideal",
    ):
        check_name(name, "a compartment")
        if volume not in ("osmotic", "rigid"):
            raise ValueError(unknown("kind of volume", volume, ("osmotic", "rigid")))
        if impermeant not in ("ideal", "protein"):
            raise ValueError(unknown("kind of impermeant", impermeant, ("ideal", "protein")))
        kinds: dict[Species, str] = {}
        for kind, listed in (("free", free), ("clamped", clamped), ("buffered", buffered)):
            for s in (listed,) if isinstance(listed, (str, Species)) else listed:
                species = KNOWN.get(s) if isinstance(s, str) else s
                if not isinstance(species, Species):
                    raise ValueError(unknown(f"{kind} species of {name}:", s, KNOWN))
                if kinds.setdefault(species, kind) != kind:
                    raise ValueError(
                        f"{species.name} in {name} must be {kinds[species]} or {kind}, not both"
                    )
        fields = dict(name=name, volume=volume, kinds=_sorted(kinds), impermeant=impermeant)
        for key, value in fields.items():
            object.__setattr__(self, key, value)

    def kind(self, species: str) -> str:
        """How it holds a species: "free", "clamped" or "buffered"."""
        told = {s.name: kind for s, kind in self.kinds}
        return told.get(species, HELD.get(species, "free"))

    def declared(self, contents: Iterable[Species]) -> dict[str, Param]:
        """The parameters that it brings, given what is in it."""
        rigid, protein = self.volume == "rigid", self.impermeant == "protein"
        owned = {
            "X": Param(100.0, "amol", "impermeant")
            if rigid
            else Param(3e5, "amol", "impermeant", "positive"),
            "z_X": Param(-0.85, "1", "mean charge of the impermeant", "real"),
        }
        if rigid:
            owned["volume"] = Param(1.0, "um^3", "water volume", "positive")
        if protein:
            owned |= {
                "b_2": Param(0.0, "1/mM", "second osmotic coefficient of the impermeant"),
                "b_3": Param(0.0, "1/mM^2", "third osmotic coefficient of the impermeant"),
                "beta_X": Param(0.0, "1", "charge that the impermeant loses for a unit of pH"),
                "pH_X": Param(7.2, "1", "pH at which the impermeant has its charge", "real"),
            }
        for s in contents:
            if self.kind(s.name) != "free":
                owned[s.name] = Param(_INSIDE.get(s.name, 1.0), "mM", s.name, "positive")
        return {
            f"{self.name}.{name}": replace(p, long_name=f"{p.long_name} in the {self.name}")
            for name, p in owned.items()
        }


def _sorted(kinds: dict[Species, str]) -> tuple[tuple[Species, str], ...]:
    return tuple(sorted(kinds.items(), key=lambda pair: pair[0].name))


@dataclass(frozen=True, init=False)
class Membrane:
    """A membrane between two compartments, with its transporters.

    It brings ``membrane.C_m`` (pF/um^2), ``membrane.L_w`` (um/s/mM, where a side is osmotic) and
    its area: ``membrane.area`` (um^2) for "constant", ``membrane.length`` (um) for "cylinder"
    (fixed length, area 2 sqrt(pi length w)); "sphere" has (36 pi)^(1/3) w^(2/3). w is the water
    volume of the inside. A wall stretches above ``membrane.wall_volume`` (um^3) with the modulus
    ``membrane.wall_modulus`` (Pa) and presses water out: turgor = modulus ln(w / wall_volume).

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
    wall : bool
        Whether an elastic wall, as a plant's, holds the inside.

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
    wall: bool

    def __init__(
        self,
        name: str = "membrane",
        transporters: Iterable[Transporter] = (),
        *,
        inside: Compartment = Compartment(),
        outside: Compartment | Bath = Bath(),
        area: str = "constant",
        wall: bool = False,
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
        if wall and inside.volume == "rigid":
            raise ValueError(f"membrane {name} around a rigid compartment needs no wall")
        values = dict(
            name=name,
            transporters=transporters,
            inside=inside,
            outside=outside,
            area=area,
            wall=bool(wall),
        )
        for key, value in values.items():
            object.__setattr__(self, key, value)

    def declared(self) -> dict[str, Param]:
        """The parameters that it brings, but for its transporters'."""
        owned = {"C_m": Param(0.01, "pF/um^2", f"capacitance of the {self.name}", "positive")}
        if self.area == "constant":
            owned["area"] = Param(800.0, "um^2", f"area of the {self.name}", "positive")
        if self.area == "cylinder":
            owned["length"] = Param(25.0, "um", f"length of the {self.name}", "positive")
        if water_crosses(self):
            owned["L_w"] = Param(
                2.7e-3, "um/s/mM", f"water permeability of the {self.name}", "positive"
            )
        if self.wall:
            owned["wall_modulus"] = Param(5e6, "Pa", f"elastic modulus of the {self.name}'s wall")
            owned["wall_volume"] = Param(
                1000.0, "um^3", f"volume at which the {self.name}'s wall is slack", "positive"
            )
        return {f"{self.name}.{name}": p for name, p in owned.items()}


def water_crosses(m: Membrane) -> bool:
    """Whether a membrane lets water through: both sides must be able to give or take it."""
    osmotic = [isinstance(c, Bath) or c.volume == "osmotic" for c in (m.inside, m.outside)]
    return all(osmotic)
