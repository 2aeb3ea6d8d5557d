"""Cells at the edge: no pump and too much, extreme charges and sizes, unusual structures."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane import analytic, constants

# One cell, one set of outputs and one size of batch: one compilation for all tests of a cell.
SHOWN = ("V", "c", "volume", "flux")
ROWS = 1024
OHMIC = jm.Cell(
    [
        *(jm.leak(s, law="ohmic") for s in (jm.Na, jm.K, jm.Cl)),
        jm.kcc2(law="log"),
        jm.nkcc1(law="log"),
        jm.na_k_atpase(law="constant"),
    ]
)
GHK = jm.Cell([jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl), jm.na_k_atpase()])
EDGE = 64
STABLE, NO_REST, INVALID = 0, 2, 5
PUMP = 0.27231  # nominal nka.j_max of GHK
# Neutral without impermeant outside.
NO_IMPERMEANT = {"bath.X": 0.0, "bath.Cl": 148.5}


def rest_of(cell, params):
    """Rests of as many rows as given, in a batch of the size that all tests share."""
    rows = ROWS if cell is OHMIC else EDGE
    n = max(np.size(value) for value in params.values())
    padded = {k: np.resize(v, rows) if np.size(v) > 1 else v for k, v in params.items()}
    rest = jm.steady_state(cell, padded | {"T": np.full(rows, 310.15)}, outputs=SHOWN)
    assert_array_equal(rest.status[n:], np.resize(rest.status[:n], rows)[n:])
    found = {"V": rest.V, "volume": rest.volume, "status": rest.status}
    found |= {species: rest.c[species] for species in ("Na", "K", "Cl")}
    return {name: np.asarray(value)[:n] for name, value in found.items()}


def wide(seed, n=ROWS):
    """Random ohmic cells, half without impermeant outside, and what the closed form takes."""
    rng = np.random.default_rng(seed)

    def log(low, high):
        return np.exp(rng.uniform(np.log(low), np.log(high), n))

    taken = {"g_Na": log(0.01, 2), "g_K": log(0.05, 10), "g_Cl": log(0.01, 10),
             "g_KCC2": log(1e-3, 2), "g_NKCC1": log(1e-3, 1),
             "Na_o": log(50, 400), "K_o": log(1, 30), "Cl_o": log(50, 400),
             "X_o": log(1, 100) * (rng.random(n) < 0.5)}  # fmt: skip
    names = ("leak_Na.g", "leak_K.g", "leak_Cl.g", "kcc2.g", "nkcc1.g",
             "bath.Na", "bath.K", "bath.Cl", "bath.X")  # fmt: skip
    params = dict(zip(names, taken.values(), strict=True))
    params |= {"cytosol.X": log(1e3, 1e7), "cytosol.z_X": rng.uniform(-3, 1, n)}
    return params, taken


def test_a_wide_design_has_rests_exactly_where_the_closed_form_has():
    params, taken = wide(1)
    upper = np.asarray(analytic.pump_range(**taken).upper)
    upper = np.where(np.isfinite(upper), upper, 10.0)
    current = upper * np.random.default_rng(2).uniform(0.0, 1.5, ROWS)
    truth = analytic.pump_leak(current, **taken, X=params["cytosol.X"], z_X=params["cytosol.z_X"])
    found = rest_of(OHMIC, params | {"nka.j": current / constants.F})
    # Away from the limit, and where floating-point numbers can hold the sodium.
    sodium = 3.0 * current / (taken["g_Na"] * analytic.thermal_voltage(310.15))
    clear = np.asarray((abs(truth.eps) > 1e-4) & (sodium < 575.0))
    exists = np.asarray(truth.exists)
    assert (clear & exists).sum() > 500 and (clear & ~exists).sum() > 200
    assert_array_equal(found["status"][clear & exists], STABLE)
    # Never a rest where there is none; and hardly ever an open question.
    assert (found["status"][~exists] != STABLE).all()
    assert (found["status"][clear & ~exists] == NO_REST).mean() > 0.99
    assert np.isnan(found["V"][found["status"] != STABLE]).all()


def test_just_inside_the_upper_pump_limit_there_is_a_rest_and_just_outside_none():
    params, taken = wide(3, n=96)
    upper = np.asarray(analytic.pump_range(**taken).upper)
    # Limits that no sodium concentration in floating-point numbers can reach are left out.
    at_limit = analytic.pump_leak(upper * (1 - 1e-3), **taken, X=1e5, z_X=-1.0)
    rows = np.flatnonzero(np.asarray(at_limit.Na) > 1e-200)[:32]
    assert rows.size == 32
    for share, status in ((1 - 1e-3, STABLE), (1 - 1e-6, STABLE), (1 + 1e-3, NO_REST)):
        j = upper[rows] * share / constants.F
        found = rest_of(OHMIC, {k: v[rows] for k, v in params.items()} | {"nka.j": j})
        assert_array_equal(found["status"], status, err_msg=f"pump at {share} of its limit")


def test_a_pump_that_fades_leaves_a_rest_only_where_impermeants_are_outside():
    share = np.array([1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 0.0])
    with_some = rest_of(OHMIC, {"nka.j": 0.0933 * share})
    assert_array_equal(with_some["status"], STABLE)
    # Then the cell is in Donnan equilibrium with a bath of 29.5 mM impermeants.
    assert_allclose(with_some["Na"][-1] * with_some["Cl"][-1], 145.0 * 119.0, rtol=1e-9)
    without = rest_of(OHMIC, {"nka.j": 0.0933 * share} | NO_IMPERMEANT)
    assert_array_equal(without["status"], [STABLE] * 7 + [NO_REST])
    assert (np.diff(without["volume"][1:7]) > 0).all() and without["volume"][6] > 1e6


def test_the_same_of_a_pump_with_its_own_free_energy():
    share = np.array([1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 0.0])
    assert_array_equal(rest_of(GHK, {"nka.j_max": PUMP * share})["status"], STABLE)
    found = rest_of(GHK, {"nka.j_max": PUMP * share} | NO_IMPERMEANT)
    assert_array_equal(found["status"], [STABLE] * 7 + [NO_REST])


@pytest.mark.parametrize("cell", [OHMIC, GHK], ids=["ohmic", "ghk"])
def test_no_impermeant_charge_is_special(cell):
    z = np.array([-10.0, -1.0 - 1e-9, -1.0, -1.0 + 1e-9, -1e-9, 0.0, 1e-9, 1.0, 10.0])
    found = rest_of(cell, {"cytosol.z_X": z})
    assert_array_equal(found["status"], STABLE)
    assert_allclose(found["V"][[1, 3]], found["V"][2], rtol=1e-7)
    assert_allclose(found["V"][[4, 6]], found["V"][5], rtol=1e-7)
    assert (np.diff(found["V"]) > 0).all()


@pytest.mark.parametrize("cell", [OHMIC, GHK], ids=["ohmic", "ghk"])
def test_a_cell_of_any_size_rests(cell):
    X = np.logspace(-10, 10, 21)
    found = rest_of(cell, {"cytosol.X": X})
    assert_array_equal(found["status"], STABLE)
    osmolarity = found["Na"] + found["K"] + found["Cl"] + X / found["volume"]
    assert_allclose(osmolarity, 297.0, rtol=1e-12)
    # Charge inside is what the membrane holds.
    charge = found["Na"] + found["K"] - found["Cl"] - 0.85 * X / found["volume"]
    held = 0.01 * 800.0 * found["V"] / (constants.F * found["volume"])
    assert_allclose(charge, held, atol=1e-12 * 297.0, rtol=1e-9)


def test_a_cell_whose_bath_is_like_its_inside_rests_at_zero_potential():
    # No pump, and the same impermeant inside and outside: V = 0 and equal concentrations, exactly.
    same = {"cytosol.z_X": np.array([-1.0, -1.0]), "cytosol.X": 2950.0}
    for cell, strength in ((OHMIC, "nka.j"), (GHK, "nka.j_max")):
        found = rest_of(cell, same | {strength: 0.0})
        assert_array_equal(found["status"], STABLE)
        assert_allclose(found["V"], 0.0, atol=1e-10)
        assert_allclose(found["Na"], 145.0, rtol=1e-11)
        assert_allclose(found["volume"], 100.0, rtol=1e-11)


def test_potentials_pass_smoothly_through_zero():
    # z_X such that the closed form gives V = 0: no charge on the membrane, so it is exact.
    current, g = 9.0, {"g_Na": 0.2, "g_K": 0.7, "g_Cl": 0.2, "g_KCC2": 0.2, "g_NKCC1": 0.0664214465}
    v = analytic.thermal_voltage(310.15)
    d_Na, d_K, d_Cl = analytic.driving_forces(current, **g)
    cations = 145.0 * np.exp(d_Na / v) + 3.5 * np.exp(d_K / v)
    anions = 119.0 * np.exp(-d_Cl / v)
    z = (anions - cations) / (297.0 - cations - anions)
    z = z + np.array([-1e-6, 0.0, 1e-6])
    found = rest_of(OHMIC, {"cytosol.z_X": z, "nka.j": current / constants.F})
    assert_array_equal(found["status"], STABLE)
    assert_allclose(found["V"][1], 0.0, atol=1e-10)
    assert found["V"][0] < 0 < found["V"][2]
    assert_allclose(found["V"][0], -found["V"][2], rtol=1e-3)


@pytest.mark.parametrize("species", ["Na", "K", "Cl"])
def test_a_species_that_is_nearly_absent_outside_is_nearly_absent_inside(species):
    name = f"bath.{species}"
    found = rest_of(GHK, {name: np.array([1e-3, 1e-6, 1e-9, 1e-12, 1e-30])})
    assert_array_equal(found["status"], STABLE)
    # The ion that follows from charge is good to the last digit of all ions together.
    expected = found[species][1] * np.array([1.0, 1e-3, 1e-6, 1e-24])
    assert_allclose(found[species][1:], expected, rtol=1e-3, atol=1e-13 * 297.0)
    assert_allclose(found["V"][2:], found["V"][2], rtol=1e-6)


def test_a_species_that_is_absent_is_no_proof_that_there_is_no_rest():
    found = rest_of(GHK, {"bath.K": np.array([3.5, 0.0, 4.0])})
    assert_array_equal(found["status"][[0, 2]], STABLE)
    assert found["status"][1] not in (NO_REST, INVALID)


def mixed_batch():
    """Rests, runaways and invalid rows, in no order."""
    params, taken = wide(5, n=ROWS)
    upper = np.nan_to_num(np.asarray(analytic.pump_range(**taken).upper), posinf=10.0, nan=1.0)
    params["nka.j"] = upper * np.random.default_rng(6).uniform(0.01, 1.3, ROWS) / constants.F
    params["nka.j"][::17] *= -1.0
    return params


def test_a_row_in_a_mixed_batch_comes_out_as_it_does_alone():
    params = mixed_batch()
    together = rest_of(OHMIC, params)
    assert {STABLE, NO_REST, INVALID} <= set(together["status"].tolist())
    chosen = [np.flatnonzero(together["status"] == s)[0] for s in (STABLE, NO_REST, INVALID)]
    for row in (*chosen, 1000):
        alone = rest_of(OHMIC, {name: value[[row, row]] for name, value in params.items()})
        for name, values in alone.items():
            assert_allclose(values[0], together[name][row], rtol=1e-12, err_msg=f"{name} of {row}")


@pytest.mark.parametrize(
    ("name", "poison"),
    [("T", np.nan), ("leak_K.g", np.nan), ("bath.K", -1.0), ("cytosol.X", np.inf)],
)
def test_a_poisoned_row_changes_no_bit_of_another(name, poison):
    params = mixed_batch()
    params["T"] = np.full(ROWS, 310.15)
    row = int(np.flatnonzero(params["nka.j"] > 0)[40])
    clean = jm.steady_state(OHMIC, params, outputs=SHOWN)
    params[name] = params[name].copy()
    params[name][row] = poison
    spoiled = jm.steady_state(OHMIC, params, outputs=SHOWN)
    others = np.arange(ROWS) != row
    assert int(spoiled.status[row]) == INVALID and np.isnan(spoiled.V[row])
    assert_array_equal(spoiled.status[others], clean.status[others])
    assert_array_equal(spoiled.V[others], clean.V[others])
    assert_array_equal(spoiled.c.values[others], clean.c.values[others])
    assert_array_equal(spoiled.steps[others], clean.steps[others])


POTASSIUM_CHLORIDE = [jm.leak(jm.K), jm.leak(jm.Cl)]
# Passive, so that every ion is at its Nernst potential and all else follows from charge and water.
BATH = {"bath.K": 119.0, "bath.Cl": 119.0, "bath.X": 59.0, "bath.z_X": 0.0}


def assert_passive(rest, cell_charge, osmolarity=297.0):
    assert int(rest.status) == 0
    assert_allclose(rest.E["K"], rest.V, rtol=1e-10)
    assert_allclose(rest.E["Cl"], rest.V, rtol=1e-10)
    X = 3e5 / rest.volume
    assert_allclose(rest.c["K"] + rest.c["Cl"] + X, osmolarity, rtol=1e-12)
    charge = constants.F * rest.volume * (rest.c["K"] - rest.c["Cl"] - 0.85 * X)
    assert_allclose(cell_charge, charge, rtol=1e-6)


@pytest.mark.parametrize(
    "area", ["sphere", *(pytest.param(a, marks=pytest.mark.slow) for a in ("constant", "cylinder"))]
)
def test_the_membrane_holds_the_charge_for_every_geometry(area):
    rest = jm.steady_state(
        jm.Cell(POTASSIUM_CHLORIDE, BATH, area=area), outputs=("V", "c", "E", "volume", "area")
    )
    expected = {
        "constant": 800.0,
        "cylinder": 2.0 * np.sqrt(np.pi * 25.0 * rest.volume),
        "sphere": (36.0 * np.pi) ** (1 / 3) * rest.volume ** (2 / 3),
    }[area]
    assert_allclose(rest.area, expected, rtol=1e-13)
    assert_passive(rest, 0.01 * rest.area * rest.V)


def test_a_bath_may_derive_the_ion_that_makes_it_neutral():
    cell = jm.Cell(POTASSIUM_CHLORIDE, bath=jm.Bath(derive="Cl"))
    assert "bath.Cl" not in cell.parameters
    given = {"bath.K": np.array([120.0, 120.0]), "bath.X": 40.0, "bath.z_X": np.array([-0.5, -4.0])}
    rest = jm.steady_state(cell, given, outputs=("V", "c", "E"))
    # 120 mM of potassium and 20 of negative charge leave 100 of chloride; beyond, none is left.
    assert_array_equal(rest.status, [0, 5])
    v = analytic.thermal_voltage(310.15)
    assert_allclose(rest.c["Cl"][0], 100.0 * np.exp(rest.V[0] / v), rtol=1e-10)


def test_two_faces_on_one_cell_may_meet_two_baths():
    # Potassium leaves through one face, chloride through the other; each bath has its own.
    cytosol = jm.Compartment("cytosol")
    apical = jm.Membrane("apical", [jm.leak(jm.Cl)], inside=cytosol, outside=jm.Bath("lumen"))
    basal = jm.Membrane("basal", [jm.leak(jm.K)], inside=cytosol, outside=jm.Bath("blood"))
    outside = {"lumen.Cl": 119.0, "lumen.X": 178.0, "lumen.z_X": 0.0,
               "blood.K": 119.0, "blood.X": 178.0, "blood.z_X": 0.0}  # fmt: skip
    rest = jm.steady_state(jm.Cell([apical, basal], outside), outputs=("V", "c", "E", "volume"))
    assert int(rest.status) == 0
    assert_allclose(rest.V["apical"], rest.V["basal"], rtol=1e-13)
    assert_allclose(rest.E["apical", "Cl"], rest.V["apical"], rtol=1e-10)
    assert_allclose(rest.E["basal", "K"], rest.V["basal"], rtol=1e-10)
    assert np.isnan(rest.E["apical", "K"]) and np.isnan(rest.E["basal", "Cl"])
    X = 3e5 / rest.volume
    assert_allclose(rest.c["K"] + rest.c["Cl"] + X, 297.0, rtol=1e-12)
    charge = constants.F * rest.volume * (rest.c["K"] - rest.c["Cl"] - 0.85 * X)
    assert_allclose(charge, 2 * 0.01 * 800.0 * rest.V["basal"], rtol=1e-6)


def test_a_rigid_inner_compartment_rests_in_equilibrium_with_the_cytosol():
    cytosol, matrix = jm.Compartment("cytosol"), jm.Compartment("matrix", volume="rigid")
    plasma = jm.Membrane("plasma", POTASSIUM_CHLORIDE, inside=cytosol)
    inner = jm.Membrane("inner", [jm.leak(jm.K, name="inner_K")], inside=matrix, outside=cytosol)
    rest = jm.steady_state(jm.Cell([plasma, inner], BATH), outputs=("V", "c", "E", "volume"))
    assert int(rest.status) == 0
    assert rest.V.values.shape == (2,) and rest.c.values.shape == (2, 2)
    assert_allclose(rest.volume["matrix"], 1.0)
    assert np.isnan(rest.c["matrix", "Cl"])
    assert_allclose(rest.E["inner", "K"], rest.V["inner"], rtol=1e-10)
    # The matrix holds 100 amol of charge -0.85, and the charge of its membrane.
    charge = constants.F * (rest.c["matrix", "K"] - 0.85 * 100.0)
    assert_allclose(charge, 0.01 * 800.0 * rest.V["inner"], rtol=1e-9)
    # The plasma membrane's charge is that of everything inside it.
    X = 3e5
    inside = rest.volume["cytosol"] * (rest.c["cytosol", "K"] - rest.c["cytosol", "Cl"]) - 0.85 * X
    held = constants.F * inside + 0.01 * 800.0 * rest.V["inner"]
    assert_allclose(held, 0.01 * 800.0 * rest.V["plasma"], rtol=1e-6)


def test_a_start_names_the_compartment_where_there_are_several():
    cytosol, matrix = jm.Compartment("cytosol"), jm.Compartment("matrix", volume="rigid")
    plasma = jm.Membrane("plasma", POTASSIUM_CHLORIDE, inside=cytosol)
    inner = jm.Membrane("inner", [jm.leak(jm.K, name="inner_K")], inside=matrix, outside=cytosol)
    with pytest.raises(KeyError, match=r"start.*'K'.*cytosol\.K"):
        jm.steady_state(jm.Cell([plasma, inner], BATH), start={"K": 5.0}, outputs=("V", "c"))
