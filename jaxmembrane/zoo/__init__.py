"""Published cells, each with its source; every one rests where its source says."""

from collections.abc import Callable

from ..cell import Cell
from ..naming import UnknownName, unknown
from .blood import lymphocyte as lymphocyte
from .fibres import frog_muscle as frog_muscle
from .fibres import squid_axon as squid_axon
from .neurons import neuron as neuron
from .neurons import neuron_immature as neuron_immature
from .neurons import textbook_neuron as textbook_neuron

CELLS: dict[str, Callable[[], Cell]] = {
    cell.__name__: cell
    for cell in (neuron, neuron_immature, lymphocyte, squid_axon, frog_muscle, textbook_neuron)
}
"""The published cells, by name."""


def get(name: str) -> Cell:
    """A published cell by its name.

    Raises
    ------
    UnknownName
        (a `KeyError`) with the nearest name.
    """
    if name not in CELLS:
        raise UnknownName(unknown("cell in the zoo", name, CELLS))
    return CELLS[name]()
