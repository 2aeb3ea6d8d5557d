"""Benchmarks: what they time is what the package computes, and their records keep their format."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import jaxmembrane as jm
from jaxmembrane import library
from jaxmembrane.balance import Equations
from jaxmembrane.dynamics import motion
from jaxmembrane.structure import structure
from jaxmembrane.unknowns import unknown_keys

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
KEYS = ["name", "rows", "ours_s", "peer", "peer_s", "ratio", "error", "compile_s", "versions"]


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def catalogue(monkeypatch):
    module = loaded("catalogue")
    monkeypatch.setattr(module, "LANES", 64)
    monkeypatch.setattr(module, "LEAST_S", 1e-4)
    # A test must not move the tests that follow it to one core.
    monkeypatch.setattr(module, "one_core", lambda: None)
    return module


def at(transporter, names, x):
    """The turnovers of all legs, from the package's front door."""
    flux = transporter.at(**dict(zip(names, x, strict=True))).flux
    return list(flux.values()) if isinstance(flux, dict) else [flux]


@pytest.mark.parametrize(
    "transporter",
    [
        jm.na_k_atpase("post_albers_4"),
        jm.gaba_a(),
        jm.ncx(),
        jm.sglt1("six_state_published"),
        jm.respiratory_chain(),
    ],
    ids=lambda t: t.name,
)
def test_what_is_timed_is_the_law_and_its_jacobian(catalogue, transporter):
    names, x = catalogue.states(transporter, 16)
    own, bare = catalogue.numbers(transporter)
    value, jacobian = catalogue.compiled(transporter, names)
    expected = at(transporter, names, x)
    np.testing.assert_allclose(value(x, own, bare), expected, rtol=1e-11)
    J, rows = jacobian(x, own, bare)
    np.testing.assert_allclose(J, expected, rtol=1e-11)
    for j, y in enumerate(x):
        h = 1e-5 * np.abs(y)
        up, down = (at(transporter, names, [*x[:j], y + s * h, *x[j + 1 :]]) for s in (1, -1))
        for leg, row in enumerate(rows):
            slope = (np.asarray(up[leg]) - np.asarray(down[leg])) / (2.0 * np.asarray(h))
            size = np.abs(expected[leg] / y) + np.abs(slope)
            assert np.all(np.abs(row[j] - slope) <= 1e-6 * size), (names[j], leg)


@pytest.mark.parametrize(
    "transporter",
    [jm.na_k_atpase("post_albers_4"), jm.na_k_atpase("post_albers_6"), jm.h_atpase()],
    ids=["four", "six", "two"],
)
def test_the_peer_of_a_cycle_finds_the_same_turnover(catalogue, transporter):
    _, (value, jacobian) = catalogue.measured(transporter, "a cycle", 1)
    assert value["error"] < 1e-9 and value["peer"] == "numpy.linalg.solve, rates given"
    assert value["ratio"] == pytest.approx(value["peer_s"] / value["ours_s"])
    assert jacobian["peer"] is None and jacobian["ratio"] is None


def test_laws_that_are_formulas_have_no_peer(catalogue):
    _, pair = catalogue.measured(jm.nkcc1(), "nkcc1", 1)
    assert [record["peer"] for record in pair] == [None, None]
    assert all(record["ours_s"] > 0.0 for record in pair)


def test_records_and_table(catalogue, monkeypatch, tmp_path, capsys):
    pump = library.CATALOGUE["na_k_atpase"]
    laws = {name: pump.laws[name] for name in ("post_albers_4", "constant")}
    few = {"na_k_atpase": library.Entry("na_k_atpase", laws, pump.make)}
    monkeypatch.setattr(catalogue.library, "CATALOGUE", few)
    path = tmp_path / "records.json"
    monkeypatch.setattr("sys.argv", ["catalogue.py", "--quick", "--json", str(path)])
    catalogue.main()
    shown = capsys.readouterr().out
    records = json.loads(path.read_text())
    assert [list(record) for record in records] == [KEYS] * 4
    assert records[0]["name"] == "na_k_atpase post_albers_4: value"
    assert all(record["rows"] == 64 and record["versions"]["jax"] for record in records)
    assert "\nPan four-state: " in shown and "\nna_k_atpase constant " in shown


def test_every_species_of_the_catalogue_has_a_state(catalogue):
    made = [entry.make(law) for entry in library.CATALOGUE.values() for law in entry.laws]
    species = {s.name for t in made for leg in t.legs for s in leg.reaction.species}
    assert species <= catalogue.INSIDE_OUTSIDE.keys()


@pytest.mark.oracle
def test_scipy_follows_the_cell_that_loses_its_pump():
    pytest.importorskip("diffrax")
    loss = loaded("peers/pump_loss")
    cell, fixed, columns = loss.cells(4)
    made = structure(cell)
    assert [key[0] for key in unknown_keys(made)] == ["c", "c", "phi", "w"]
    states = np.random.default_rng(0).uniform([1.0, 1.0, -3.0, 6.0], [4.0, 4.0, 1.0, 9.0], (4, 4))
    for i, y in enumerate(states):
        own = {name: float(x[i]) for name, x in columns.items()}
        rates = loss.right_hand_side(fixed, own)(0.0, y)
        expected = motion(Equations(made, {**fixed, **own, "nka.j_max": 0.0}), list(y))
        np.testing.assert_allclose(rates, expected, rtol=1e-11)
