"""``jaxmembrane show`` and ``verify``: what is in a store, and whether it is whole."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ..naming import UnknownName, unknown
from .options import OldStore
from .tables import print_status, print_table

_MOST_TIMES = 5


def show(
    store: OldStore,
    cell: Annotated[str | None, typer.Option(help="Of a fit: one of its cells.")] = None,
) -> None:
    """Show what is in a store: model, space, outcomes; spread of outputs, or what a fit found."""
    from ..store import open_store
    from ..verify import summary

    found, ds = summary(store), open_store(store)
    fitted = "free" in found.attrs
    if cell is not None:
        if not fitted:
            raise ValueError(f"--cell is for the store of a fit, and {store} is one of a sweep")
        _show_cell(ds, cell)
        return
    made = found.provenance["versions"]
    print(f"{store}: {found.attrs['title']}, {found.n:,} {'cells' if fitted else 'rows'}")
    print(f"made {found.provenance['created']} by jaxmembrane {made['jaxmembrane']}")
    print(f"\nmodel: {found.attrs['source']}\n{found.attrs['model']}")
    (_show_fit if fitted else _show_sweep)(found, ds)


def _show_cell(ds: Any, wanted: str) -> None:
    """Print what a fit found of one cell."""
    from ..fitting import explain

    names = {str(name): name for name in ds["cell"].values.tolist()}
    if wanted not in names:
        raise UnknownName(unknown("cell", wanted, names))
    print(explain(ds, names[wanted]))


def _show_fit(found: Any, ds: Any) -> None:
    """Print what was fitted to what, and what came of it."""
    from ..fitting import explain
    from ..fitting.restored import space_of

    shared = json.loads(found.attrs["shared"])
    parameter = ds["parameter"]
    units = dict(
        zip(parameter.values, parameter.attrs["parameter_units"].split(" | "), strict=True)
    )
    rows = []
    for names, spread in space_of(ds).axes.items():
        common = "shared by all cells" if names[0] in shared else ""
        said = _spread(spread.describe())
        rows += [(name, said, units[names[0]], common) for name in names]
    print("\nfree:")
    print_table(("parameter", "values", "unit", ""), rows)
    print(f"\ntargets: {', '.join(ds['target'].values)}; errors {found.attrs['errors']}")
    print(explain(ds))


def _show_sweep(found: Any, ds: Any) -> None:
    """Print the space, the outcomes, and the spread of every output."""
    import numpy as np

    design = found.fingerprint["design"]
    unit = {name: ds[name].attrs["units"] for name in found.swept}
    seed = "" if design["seed"] is None else f", seed {design['seed']}"
    print(f"\nspace: {design['kind']}{seed}")
    if "groups" in design:
        _show_blocks(design, ds["status"].values)
    rows = [(name, _spread(axis), unit[name]) for axis in design["axes"] for name in axis["names"]]
    rows += [(name, f"derived, {rule}", unit[name]) for name, rule in design["derive"].items()]
    print_table(("parameter", "values", "unit"), rows)
    for rule in design["where"]:
        print(f"where {rule}")
    print("\nstatus:")
    print_status(found.counts)
    good = np.isin(ds["status"].values, (0, 1))
    if "time" in ds.dims:
        ds = ds.isel(time=np.unique(np.linspace(0, ds.sizes["time"] - 1, _MOST_TIMES, dtype=int)))
    rows = []
    for name in found.outputs if good.any() else ():
        dims = {d: n for d, n in ds[name].sizes.items() if d not in ds["status"].dims}
        lanes = ds[name].values[good].reshape(good.sum(), -1)
        for place, column in zip(np.ndindex(*dims.values()), lanes.T, strict=True):
            if (known := column[np.isfinite(column)]).size:
                at = dict(zip(dims, place, strict=True))
                label = " ".join((name, *(_label(ds[dim].values[k]) for dim, k in at.items())))
                numbers = (f"{x:.5g}" for x in np.percentile(known, (5, 50, 95)))
                rows.append((label, *numbers, _unit(ds[name], at)))
    print(f"\nrows that {'reached the end' if 'stopped' in ds else 'have a rest'}:")
    print_table(("output", "5 %", "median", "95 %", "unit"), rows)


def _show_blocks(design: Mapping[str, Any], status: Any) -> None:
    """Print how many blocks there are, and what they consist of."""
    import numpy as np

    from ..blocks import restored

    width = restored(design).width
    whole = np.logical_and.reduce(np.isin(status, (0, 1)).reshape(-1, width), axis=1)
    kind = f", {design['levels']} levels" if "levels" in design else ""
    kind += ", of second order" if design.get("second_order") else ""
    print(f"{len(whole):,} blocks of {width} rows{kind}: {whole.sum():,} are whole")
    for group in design["groups"]:
        if len(group["parameters"]) > 1:
            print(f"{group['name']} moves as one: {', '.join(group['parameters'])}")


def verify(
    store: OldStore,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is damaged.")] = False,
) -> int:
    """Read every file of a store and find what is missing, torn or flipped (exit status 1)."""
    from ..verify import verify as check

    report = check(store, repair=repair)
    print(report)
    return int(len(report.damaged) > report.repaired)


def _unit(variable: Any, at: Mapping[str, int]) -> str:
    """The unit of an output; of derivatives, where each has its own, that of one entry."""
    given = variable.attrs["units"]
    if not given.startswith("see "):
        return given
    named = given.removeprefix("see ").split(" and ")
    units = [variable[name].isel(at, missing_dims="ignore").item() for name in named]
    return " per ".join((units[0], *(unit for unit in units[1:] if unit != "1")))


def _label(label: Any) -> str:
    """Say where along a dim a value stands; times are in s."""
    return label if isinstance(label, str) else f"{label:g} s"


def _spread(axis: Mapping[str, Any]) -> str:
    """Say how the values of an axis are spread."""
    said = [axis.get("distribution", "grid" if "points" in axis else "table")]
    for name, value in axis.items():
        if isinstance(value, float):
            said.append(f"{name} {value:g}")
        elif name in ("values", "points"):
            said += [f"{x:g}" for x in value[:6]] + ["..."] * (len(value) > 6)
    return " ".join(said)
