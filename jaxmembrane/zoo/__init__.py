"""Published cells, each with its source; every one rests where its source says."""

from collections.abc import Callable

from ..cell import Cell
from ..naming import UnknownName, unknown
from .blood import lymphocyte as lymphocyte
from .blood import red_cell as red_cell
from .epithelia import corneal_stroma as corneal_stroma
from .epithelia import enterocyte as enterocyte
from .excitable import neuron_dijkstra as neuron_dijkstra
from .fibres import frog_muscle as frog_muscle
from .fibres import squid_axon as squid_axon
from .neurons import neuron as neuron
from .neurons import neuron_calcium as neuron_calcium
from .neurons import neuron_immature as neuron_immature
from .neurons import neuron_mitochondrion as neuron_mitochondrion
from .neurons import textbook_neuron as textbook_neuron
from .plants import root_cell as root_cell
from .vesicles import proteoliposome as proteoliposome
from .vesicles import vent_protocell as vent_protocell

CELLS: dict[str, Callable[[], Cell]] = {
    cell.__name__: cell
    for cell in (
        neuron,
        neuron_immature,
        neuron_calcium,
        neuron_mitochondrion,
        neuron_dijkstra,
        textbook_neuron,
        squid_axon,
        frog_muscle,
        lymphocyte,
        red_cell,
        enterocyte,
        corneal_stroma,
        root_cell,
        proteoliposome,
        vent_protocell,
    )
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
