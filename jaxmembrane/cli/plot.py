"""``jaxmembrane plot``: a picture of what a store holds."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..naming import UnknownName, unknown
from .options import OldStore

Kind = Literal[
    "pairs",
    "plane",
    "bands",
    "sobol",
    "interactions",
    "morris",
    "elasticities",
    "dgsm",
    "subspace",
    "fit",
    "correlation",
]

_OF_CELLS = ("fit", "correlation")
_WITHOUT_OUTPUT = (*_OF_CELLS, "elasticities")


def plot(
    store: OldStore,
    picture: Annotated[
        Path, typer.Option("--picture", "-o", help="File to write: .png, .pdf or .svg.")
    ],
    kind: Annotated[
        Kind | None, typer.Option(help="What to draw; by default what the store was made for.")
    ] = None,
    output: Annotated[str | None, typer.Option(help="As V, c[Na] or V[60 s].")] = None,
    x: Annotated[str | None, typer.Option(help="Of a plane: the parameter across.")] = None,
    y: Annotated[str | None, typer.Option(help="Of a plane: the parameter upward.")] = None,
    cell: Annotated[str | None, typer.Option(help="Of a fit: one of its cells.")] = None,
    dpi: Annotated[int, typer.Option(min=1, help="Pixels of an inch.")] = 150,
) -> None:
    """Draw a sweep, its sensitivities or a fit, as `jm.plot` does."""
    import numpy as np

    from ..store import open_store

    ds = open_store(store)
    kind = kind or _usual(ds)
    _check(kind, output=output, x=x, y=y, cell=cell)
    axes = np.asarray(_draw(ds, kind, output, x, y, cell), dtype=object)
    axes.flat[0].figure.savefig(picture, dpi=dpi)
    print(f"{picture}: {kind} of {store}")


def _usual(ds: Any) -> Kind:
    """What a store was made for."""
    design = json.loads(ds.attrs["fingerprint"]).get("design", {}).get("kind")
    if "free" in ds.attrs:
        return "fit"
    if "elasticity" in ds:
        return "elasticities"
    if design in ("saltelli", "morris"):
        return "sobol" if design == "saltelli" else "morris"
    if "time" in ds.dims:
        return "bands"
    return "plane" if len(ds["status"].dims) > 1 else "pairs"


def _check(kind: Kind, **options: str | None) -> None:
    """Refuse options that the picture has no use for."""
    used = {"output": kind not in _WITHOUT_OUTPUT, "cell": kind in _OF_CELLS}
    used |= {"x": kind == "plane", "y": kind == "plane"}
    for name, value in options.items():
        if value is not None and not used[name]:
            raise ValueError(f"--{name} has no meaning for --kind {kind}: leave it out")


def _draw(
    ds: Any, kind: Kind, output: str | None, x: str | None, y: str | None, cell: str | None
) -> Any:
    """Draw a dataset, having analysed it where the picture is one of an analysis."""
    from .. import plot, sensitivity
    from ..plot.rows import outputs
    from ..study.sensitivity import stored_settings

    draw = getattr(plot, kind)
    if kind in _OF_CELLS:
        return draw(ds, _cell(ds, cell))
    if kind == "elasticities":
        return draw(ds)
    analyses = {"interactions": "sobol", "subspace": "dgsm"}
    if analysis := getattr(sensitivity, analyses.get(kind, kind), None):
        ds = analysis(ds, **stored_settings(ds.attrs["study"]))
        return draw(ds, output or _first(map(str, ds["output"].values)))
    beside = ("time",) if kind == "bands" and "time" in ds.dims else ()
    output = output or _first(outputs(ds, beside))
    return draw(ds, output, x, y) if kind == "plane" else draw(ds, output)


def _first(outputs: Any) -> str:
    """The potential where there is one, else the first output."""
    known = list(outputs)
    return "V" if "V" in known or not known else known[0]


def _cell(ds: Any, wanted: str | None) -> Any:
    """A cell of a fit by its name as it is written."""
    names = {str(name): name for name in ds["cell"].values.tolist()} if "cell" in ds.dims else {}
    if wanted is not None and wanted not in names:
        raise UnknownName(unknown("cell", wanted, names))
    return None if wanted is None else names[wanted]
