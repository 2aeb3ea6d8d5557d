"""The notebooks: what holds of them without running them, as the continuous integration does."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import jaxmembrane as jm

nbformat = pytest.importorskip("nbformat")

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
OURS, PACKAGES = "jm", {"jax", "jaxmembrane", "matplotlib", "numpy", "xarray"}

every = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def cells(path, kind):
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


@cache
def code(path):
    """The trees of all code cells as one, without the lines that are IPython's own."""
    source = "\n".join(cell.source for cell in cells(path, "code"))
    return ast.parse(re.sub(r"^%.*$", "", source, flags=re.MULTILINE))


def chain(node):
    """Names of ``jm.plot.fit`` as a list, or none where it begins with something else."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return names[::-1] if isinstance(node, ast.Name) and node.id == OURS else []


def lost(names):
    """The first name of a chain that the package does not have, or none."""
    here = jm
    for name in names:
        if name.startswith("_") or not hasattr(here, name):
            return name
        here = getattr(here, name)
    return None


def test_they_are_numbered_from_one():
    numbers = [int(path.stem.partition("_")[0]) for path in NOTEBOOKS]
    assert numbers == list(range(1, len(NOTEBOOKS) + 1)) and len(numbers) >= 5


@every
def test_is_valid_and_begins_with_a_title(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    first = notebook.cells[0]
    assert first.cell_type == "markdown" and re.match(r"# \S", first.source)
    titles = [line for cell in cells(path, "markdown") for line in cell.source.splitlines()]
    assert sum(line.startswith("# ") for line in titles) == 1
    assert titles.count("## What to take home") == 1


@every
def test_ids_are_there_once(path):
    ids = [cell["id"] for cell in nbformat.read(path, as_version=4).cells]
    assert len(set(ids)) == len(ids)


@every
def test_is_kept_without_outputs(path):
    for cell in cells(path, "code"):
        assert not cell.outputs and cell.execution_count is None
    assert '"output_type":' not in path.read_text()


@every
def test_uses_public_names_that_exist(path):
    found = [chain(node) for node in ast.walk(code(path)) if isinstance(node, ast.Attribute)]
    used = [names for names in found if names]
    assert used and not {".".join(names): lost(names) for names in used if lost(names)}


@every
def test_imports_the_package_as_a_whole(path):
    for node in ast.walk(code(path)):
        if isinstance(node, ast.Import):
            for name in node.names:
                assert name.name.partition(".")[0] in PACKAGES
                assert name.asname == OURS or name.name != "jaxmembrane"
                assert not name.name.startswith("jaxmembrane.")
        assert not isinstance(node, ast.ImportFrom)


@every
def test_parameters_in_the_text_exist(path):
    """What the text names, as ``nka.j``, stands in the code or belongs to a cell of the zoo."""
    known = {name for make in jm.zoo.CELLS.values() for name in make().parameters}
    source = "\n".join(cell.source for cell in cells(path, "code"))
    for cell in cells(path, "markdown"):
        for name in re.findall(r"`([a-z]\w*\.\w+)`", cell.source):
            assert name in known or name in source, name


def test_a_name_that_is_not_ours_is_noticed():
    node = ast.parse("jm.plot.nonsense", mode="eval").body
    assert chain(node) == ["plot", "nonsense"] and lost(chain(node)) == "nonsense"
    assert lost(["steady_state"]) is None and lost(["_private"]) == "_private"


def test_every_picture_is_in_one_of_them():
    pictures = {name for name, x in vars(jm.plot).items() if callable(x) and name[0] != "_"}
    chains = [chain(n) for path in NOTEBOOKS for n in ast.walk(code(path))]
    assert pictures == {names[1] for names in chains if names[:1] == ["plot"] and names[1:]}
