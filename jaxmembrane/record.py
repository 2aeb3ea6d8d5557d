"""What a store says of its run: what it holds, what decides its numbers, where it was made."""

import datetime
import platform
import subprocess
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from .cell import Cell
from .design import Design
from .outputs import labels
from .programs import Job
from .schema import Schema, Variable

SCHEMA_VERSION = 1


def schema(job: Job, design: Design, precision: str, study: str) -> Schema:
    """What the store of a sweep holds."""
    cell = job.cell
    about = {
        name: {"units": p.unit, "long_name": p.long_name} for name, p in cell.parameters.items()
    }
    swept = [Variable(name, attrs=about[name], coordinate=True) for name in design.names]
    sizes: dict[str, Any] = {**job.labels, **labels(cell)}
    made = []
    for name, (out, _) in job.variables.items():
        dtype = {"status": "int8", "steps": "int32"}.get(name, precision)
        attrs = {"units": out.units, "long_name": out.long_name}
        if name != "status":
            made.append(Variable(name, job.dims(name), dtype, attrs))
    used = {d for v in made for d in v.dims}
    return Schema(
        variables=(*swept, *made),
        labels={d: sizes[d] for d in sizes if d in used},
        label_attrs={"time": {"units": "s", "long_name": "time since the protocol began"}},
        fixed={name: (value, about[name]) for name, value in job.shared["fixed"].items()},
        along=job.along,
        attrs={
            "title": f"jaxmembrane sweep of {job.title}",
            "schema_version": SCHEMA_VERSION,
            "source": cell.source,
            "model": describe(cell),
            "design": f"{design.kind}, seed {design.seed}: {', '.join(design.names)}",
            "study": study,
            "precision": precision,
        },
        status_flags=job.flags,
        grid=None if design.dims is None else tuple((d, len(x)) for d, x in design.dims.items()),
    )


def describe(cell: Cell) -> str:
    """A cell in words: membranes, transporters, reactions and laws."""
    lines = []
    for m in cell.membranes:
        inside = f"{m.inside.name} ({m.inside.volume})"
        lines.append(f"{m.name}: {inside} | {m.outside.name}, area {m.area}")
        for leg in (leg for t in m.transporters for leg in t.legs):
            lines.append(f"  {leg.name}: {leg.reaction.text}, {_law(leg.rate)}")
    return "\n".join(lines)


def structure(cell: Cell) -> dict[str, Any]:
    """A cell as nested names, so that a difference between two can be named."""
    found: dict[str, Any] = {bath.name: f"bath, derives {bath.derive}" for bath in cell.baths}
    for c in cell.compartments:
        held = [f", {s.name} {kind}" for s, kind in c.kinds]
        found[c.name] = f"{c.volume}, impermeant {c.impermeant}{''.join(held)}"
    for m in cell.membranes:
        wall = ", wall" if m.wall else ""
        found[m.name] = f"{m.inside.name} | {m.outside.name}, area {m.area}{wall}"
        for t in m.transporters:
            for leg in t.legs:
                found[leg.name] = f"{leg.reaction.text} by {_law(leg.rate)} in {m.name}"
                found |= {f"charge of {s.name}": s.z for s in leg.reaction.species}
            found |= {f"{t.name}.{gate}": f"gate by {_law(rate)}" for gate, rate in t.gates}
    return found


def _law(rate: Any) -> str:
    """What identifies a law: where a function is defined, or what a dataclass holds."""
    if hasattr(rate, "__qualname__"):
        return f"{rate.__module__}.{rate.__qualname__}"
    if is_dataclass(rate):
        # Not its repr: that of a function is another in each process.
        held = ", ".join(f"{f.name}={_law(getattr(rate, f.name))}" for f in fields(rate))
        return f"{type(rate).__module__}.{type(rate).__qualname__}({held})"
    return repr(rate)


def fingerprint(job: Job, design: Design, precision: str, tile: int, device: Any) -> dict[str, Any]:
    """What decides the numbers of a sweep, section by section."""
    return {
        "extendable": design.extendable,
        "schema version": SCHEMA_VERSION,
        "model": structure(job.cell),
        "fixed parameter": dict(job.shared["fixed"]),
        "design": design.describe(),
        **job.decides,
        "outputs": sorted(job.variables),
        "precision": precision,
        "tile": tile,
        "versions": versions(device),
    }


def meanings(data: Any) -> dict[int, str]:
    """What each value of a dataset's ``status`` means, in words."""
    about = data["status"].attrs
    words = [word.replace("_", " ") for word in about.get("flag_meanings", "").split()]
    return dict(zip(about.get("flag_values", ()), words, strict=True))


def versions(device: Any) -> dict[str, str]:
    """Versions of what decides the last bits, and the kind of device."""
    return {
        "jaxmembrane": version("jaxmembrane"),
        "jax": jax.__version__,
        "jaxlib": version("jaxlib"),
        "platform": device.platform,
        "device kind": device.device_kind,
    }


def provenance() -> dict[str, Any]:
    """Where and when a store was begun."""
    packages = ("jaxmembrane", "jax", "jaxlib", "numpy", "scipy", "xarray", "zarr")
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": {name: version(name) for name in packages},
        "python": platform.python_version(),
        "machine": platform.platform(),
        "host": platform.node(),
        "devices": [str(device) for device in jax.local_devices()],
        "git": _git_state(),
    }


def _git_state() -> str:
    """Commit of the working directory's repository, with + where it has changes; or nothing."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=10,
            cwd=Path.cwd(),
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()
