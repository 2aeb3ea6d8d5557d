"""Chemical species: a name and a valence."""

from dataclasses import dataclass

from .naming import check_name


@dataclass(frozen=True)
class Species:
    """A dissolved species: its name in reactions, parameters and results, and its valence.

    Two species with the same name and valence are the same species.

    Parameters
    ----------
    name : str
        Letters and digits, starting with a letter, as in ``Na`` or ``HCO3``.
    z : int
        Charge number (valence).

    Raises
    ------
    ValueError
        If the name is not an identifier without underscore, or the valence not an integer.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> lithium = jm.Species("Li", +1)
    >>> lithium.z
    1
    """

    name: str
    z: int

    def __post_init__(self):
        check_name(self.name, "a species")
        if "_" in self.name:
            raise ValueError(
                f"species name {self.name!r} must not hold an underscore: reactions write the side "
                "after one, as in Na_i"
            )
        if isinstance(self.z, bool) or not isinstance(self.z, int):
            raise ValueError(f"valence of {self.name} must be an integer, not {self.z!r}")


Na = Species("Na", +1)
K = Species("K", +1)
Cl = Species("Cl", -1)
Ca = Species("Ca", +2)
Mg = Species("Mg", +2)
H = Species("H", +1)
HCO3 = Species("HCO3", -1)
ATP = Species("ATP", -4)
ADP = Species("ADP", -3)
Pi = Species("Pi", -2)
Glucose = Species("Glucose", 0)

KNOWN = {s.name: s for s in (Na, K, Cl, Ca, Mg, H, HCO3, ATP, ADP, Pi, Glucose)}
"""The species that a reaction may name without being told about them."""
