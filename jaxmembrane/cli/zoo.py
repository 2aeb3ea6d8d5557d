"""``jaxmembrane zoo``: the published cells."""

from typing import Annotated

import typer

from .options import start
from .tables import print_table


def zoo(name: Annotated[str | None, typer.Argument(help="One of the cells.")] = None) -> None:
    """List the published cells with their sources; of one, its parameters and its rest."""
    start()
    from ..steady import steady_state
    from ..zoo import CELLS, get

    if name is None:
        print_table(("cell", "source"), [(known, get(known).source) for known in CELLS])
        return
    cell = get(name)
    print(f"{name}: {cell.source}\n")
    rows = [(n, f"{p.nominal:.10g}", p.unit, p.long_name) for n, p in cell.parameters.items()]
    print_table(("parameter", "nominal", "unit", ""), rows)
    print(f"\n{steady_state(cell, outputs=('V', 'volume', 'c', 'E'))}")
