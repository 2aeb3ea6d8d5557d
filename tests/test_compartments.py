"""Species that are free or clamped; proteins and walls: their rests, and bad input."""

from functools import cache

import numpy as np
import pytest
from example_cells import (
    BAD,
    PROTEIN,
    SHOWN,
    F,
    R,
    T,
    assert_at_rest,
    assert_found_from_anywhere,
    assert_gradient,
    assert_same_in_single_precision,
    bad_starts,
    derive,
    inside,
    lanes_around,
    net_fluxes,
    of,
    salt,
)
from motion import assert_course_ends_at_rest, assert_modes
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm

MOVED = tuple(f"cytosol.{x}" for x in ("X", "z_X", "b_2", "b_3", "beta_X", "pH_X", "Ca"))
MOVED += ("bath.H", "membrane.wall_modulus", "membrane.wall_volume")
NO_WALL, RIGID, PLANT, LANES = 21, 22, 23, 44


@cache
def protein():
    """Red cells, walled cells and others: parameters and rests."""
    base = {"cytosol.X": 1e4, "cytosol.z_X": -4.0, "cytosol.beta_X": 6.0, "cytosol.pH_X": 7.0}
    # Haemoglobin's osmotic coefficients, Lew & Bookchin 1986, doi:10.1007/BF01869016.
    base |= {"cytosol.b_2": 0.0645, "cytosol.b_3": 0.0258, "cytosol.Ca": 1e-4, "bath.H": 4e-5}
    base |= {"membrane.wall_modulus": 2e5, "membrane.wall_volume": 100.0, "pump.k": 0.02}
    base |= {"bath.K": 148.5, "bath.Cl": 119.0, "bath.X": 29.5}
    params = lanes_around(base, MOVED, LANES)
    params["membrane.wall_modulus"][21:24] = 0.0, 1e10, 1e7
    for name, x in (("K", 2.0), ("Cl", 2.0), ("X", 0.0)):
        params[f"bath.{name}"][PLANT] = x
    params["cytosol.b_2"][[PLANT, 24]] = params["cytosol.b_3"][PLANT] = 0.0
    params["cytosol.b_3"][25] = params["cytosol.beta_X"][26] = 0.0
    rng, rows = np.random.default_rng(0), slice(27, -len(BAD))
    for name in ("cytosol.X", *MOVED[2:5], "cytosol.Ca", "pump.k", *MOVED[-3:]):
        params[name][rows] *= np.exp(rng.uniform(-1.2, 1.2, LANES - 33))
    params["cytosol.z_X"][rows] = rng.uniform(-10.0, 2.0, LANES - 33)
    start, shown = bad_starts(LANES), (*SHOWN, "turgor")
    return params, jm.steady_state(PROTEIN, params, start=start, outputs=shown)


@pytest.mark.slow
def test_a_protein_cell_in_a_wall_rests_in_balance():
    params, rest = protein()
    assert_array_equal(rest.status, 0)
    assert_at_rest(PROTEIN, params, rest)


def test_a_clamped_ion_carries_a_current_that_does_not_move_the_potential():
    _, rest = protein()
    calcium = net_fluxes(PROTEIN, rest)[0]["cytosol", "Ca"]
    assert np.all(abs(calcium) > 1e-2)
    # All that carries current adds up to what the supply of calcium does.
    current = sum(of(rest.current, t.name) for t in PROTEIN.transporters)
    assert_allclose(current * of(rest.area), -2.0 * F * calcium, rtol=1e-8)


def test_protons_follow_chloride_where_only_their_cotransport_moves_them():
    params, rest = protein()
    inside = of(rest.c, "H") * of(rest.c, "Cl")
    assert_allclose(inside, params["bath.H"] * params["bath.Cl"], rtol=1e-10)


def test_the_charge_of_a_protein_follows_ph():
    params, rest = protein()
    pH = 3.0 - np.log10(of(rest.c, "H"))
    expected = params["cytosol.z_X"] - params["cytosol.beta_X"] * (pH - params["cytosol.pH_X"])
    assert_allclose(of(rest.z_X), expected, rtol=1e-12)


def test_a_wall_presses_back_by_the_osmotic_difference():
    params, rest = protein()
    turgor, w, slack = of(rest.turgor), of(rest.volume), params["membrane.wall_volume"]
    stretch = np.log(np.maximum(w / slack, 1.0))
    assert_allclose(turgor, params["membrane.wall_modulus"] * stretch, rtol=1e-12)
    assert turgor[NO_WALL] == 0.0 and w[NO_WALL] > slack[NO_WALL]
    assert_allclose(w[RIGID], slack[RIGID], rtol=1e-2)
    # In water a plant's wall bears all that its contents amount to, tenths of a megapascal.
    assert 1e5 < turgor[PLANT] < 1e6
    outside = 2.0 + 2.0 + 1.2 + 4e-5
    assert_allclose(turgor[PLANT], R * T * (of(rest.osmolarity)[PLANT] - outside), rtol=1e-10)


def test_rests_of_proteins_and_walls_are_found_from_anywhere():
    assert_found_from_anywhere(protein()[1])


def test_motion_of_a_protein_cell_ends_at_its_rest():
    params, rest = protein()
    given = {name: x[0] for name, x in params.items()}
    assert_modes(PROTEIN, given, rest, 0)
    assert_course_ends_at_rest(PROTEIN, given, rest, 0)


def test_a_wall_under_pressure_sets_the_pace():
    params, rest = protein()
    assert_modes(PROTEIN, {name: x[PLANT] for name, x in params.items()}, rest, PLANT)


@pytest.mark.slow
def test_gradients_of_a_protein_cell():
    params, rest = protein()
    slope, _ = derive(PROTEIN, ("V", "volume"), params, bad_starts(LANES))
    assert_gradient(params, rest, slope, MOVED)


@pytest.mark.slow
def test_single_precision_finds_the_rests_of_protein_cells():
    assert_same_in_single_precision(PROTEIN, *protein())


MISTAKES = {
    "two ways": (
        lambda: jm.Compartment(clamped=["Na"], buffered=[jm.Na]),
        "Na in cytosol must be clamped or buffered, not both",
    ),
    "unknown species": (lambda: jm.Compartment(clamped=["Sodium"]), "unknown clamped species"),
    "unknown impermeant": (
        lambda: jm.Compartment(impermeant="proteins"),
        "unknown kind of impermeant 'proteins'; did you mean protein",
    ),
    "wall around rigid": (
        lambda: jm.Membrane("m", salt(), inside=jm.Compartment("a", "rigid"), wall=True),
        "membrane m around a rigid compartment needs no wall",
    ),
    "nothing electrogenic": (
        lambda: jm.Cell([jm.kcc2(), jm.nkcc1(law="log")]),
        "nothing sets its potential",
    ),
    "two valences": (lambda: inside(*salt(), free=[jm.Species("Na", 2)]), "Na has valence"),
}


@pytest.mark.parametrize(("make", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_compartment_that_cannot_be_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize("name", ["turgor", "gate"])
def test_an_output_that_a_cell_cannot_have_is_refused_in_a_sentence(name):
    with pytest.raises(ValueError, match=f"output '{name}' needs a "):
        jm.steady_state(jm.Cell(salt()), outputs=[name])
