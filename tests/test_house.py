"""The house: floors, fences, sizes, and docstrings whose examples run."""

import ast
import doctest
import importlib
import sys
from pathlib import Path

import pytest

import jaxmembrane

HOUSE = Path(jaxmembrane.__file__).parent
LONGEST = 320

# A module imports only from lower floors, or from its own floor to its right.
FLOORS = [
    ["naming", "linalg", "units", "constants"],
    ["params", "species"],
    ["kinetics", "transport", "regulation", "point", "site", "reaction", "analytic"],
    [
        "interventions",
        "protocol",
        "outputs",
        "dynamics",
        "balance",
        "contents",
        "unknowns",
        "structure",
        "cell",
        "pools",
        "library",
        "membrane",
    ],
    [
        "checks",
        "trial",
        "clamp",
        "continuation",
        "arclength",
        "simulate",
        "steady",
        "lanes",
        "begin",
        "labelled",
        "modes",
        "trajectory",
        "rest",
        "start",
        "stability",
        "relax",
        "course",
        "refill",
        "rosenbrock",
        "summary",
        "pieces",
        "newton",
    ],
    [
        "store",
        "verify",
        "segment",
        "schema",
        "engine",
        "executables",
        "progress",
        "space",
        "design",
        "blocks",
        "points",
        "expression",
        "distributions",
        "target",
    ],
    ["sensitivity", "fitting", "sweep", "running", "record", "programs"],
    ["__main__", "cli", "__init__", "study", "recordings", "plot", "zoo"],
]
FENCES = {
    "jax": {room for floor in FLOORS[2:5] for room in floor}
    | {"linalg", "engine", "executables", "programs", "record", "running", "fitting"}
    | {"sensitivity", "cli"},
    "zarr": {"segment", "verify", "store"},
    "xarray": {"segment", "store", "sweep", "running", "fitting", "sensitivity"}
    | {"recordings", "plot", "cli"},
    "matplotlib": {"plot"},
    "optax": {"fitting"},
    "dask": set(),
    "pandas": {"study", "recordings"},
}


def rooms():
    return sorted(HOUSE.rglob("*.py"))


def room_of(path):
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return parts[0]


def place(room):
    for height, floor in enumerate(FLOORS):
        if room in floor:
            return height, -floor.index(room)
    raise AssertionError(f"{room} has no place in the house: give it one in FLOORS")


def imports(path):
    """Rooms of the package, and packages from outside, that a file imports at any depth."""
    inside, outside = set(), set()
    depth = len(path.relative_to(HOUSE).parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            outside |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            outside.add(node.module.partition(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.level == depth:
            names = [node.module.partition(".")[0]] if node.module else [n.name for n in node.names]
            inside |= set(names)
    return inside, outside


@pytest.mark.parametrize("path", rooms(), ids=lambda p: str(p.relative_to(HOUSE)))
def test_imports_run_downward(path):
    room = room_of(path)
    for other in imports(path)[0] - {room}:
        assert place(other) < place(room), f"{room} imports {other}, which stands above it"


@pytest.mark.parametrize("path", rooms(), ids=lambda p: str(p.relative_to(HOUSE)))
def test_fences(path):
    for package in imports(path)[1] & FENCES.keys():
        assert room_of(path) in FENCES[package], f"{package} is fenced off from {room_of(path)}"


@pytest.mark.parametrize("path", rooms(), ids=lambda p: str(p.relative_to(HOUSE)))
def test_no_file_is_long(path):
    assert len(path.read_text().splitlines()) <= LONGEST


def module_names():
    for path in rooms():
        parts = path.relative_to(HOUSE).with_suffix("").parts
        if parts[-1] != "__main__":
            yield ".".join(("jaxmembrane", *(p for p in parts if p != "__init__")))


# Their examples compile programs of their own, some for a minute.
LONG = tuple(f"jaxmembrane.{room}" for room in ("zoo.", "fitting.", "plot.", "continuation"))


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n.startswith(LONG) else n for n in module_names()],
)
def test_examples_run(name):
    if name.startswith("jaxmembrane.plot"):
        pytest.importorskip("matplotlib")
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not failed


def test_public_names_have_docstrings():
    for name, value in vars(jaxmembrane).items():
        if not name.startswith("_") and callable(value):
            assert value.__doc__, name


def test_import_is_light_and_leaves_jax_alone():
    code = (
        "import sys, jax; before = dict(jax.config.values); import jaxmembrane;"
        "assert dict(jax.config.values) == before;"
        "assert not jax._src.xla_bridge._backends, 'a backend was started';"
        "assert 'matplotlib' not in sys.modules and 'optax' not in sys.modules"
    )
    import subprocess

    subprocess.run([sys.executable, "-c", code], check=True)
