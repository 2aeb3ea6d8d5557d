"""What must not change: charge and matter, and what rests and balances owe to symmetry alone."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import constants
from jaxmembrane.balance import Equations
from jaxmembrane.kinetics.pumps import NKA_LAWS
from jaxmembrane.kinetics.thermodynamic import mass_action
from jaxmembrane.outputs import OUTPUTS, Reading

# Structure, rows and outputs of tests/test_steady.py, so that both share one compilation.
ROWS = 1024
SHOWN = ("V", "c", "volume", "flux")
IONS = (jm.Na, jm.K, jm.Cl)
OHMIC = [jm.leak(s, "ohmic") for s in IONS]
CELL = jm.Cell([*OHMIC, jm.kcc2("log"), jm.nkcc1("log"), jm.na_k_atpase("cubic")])
STRENGTHS = ("leak_Na.g", "leak_K.g", "leak_Cl.g", "nka.j", "kcc2.g", "nkcc1.g", "membrane.L_w")
BATH = ("bath.Na", "bath.K", "bath.Cl", "bath.X")
# Neutral closure: a membrane that stores hardly any charge, 1e-12 of that of its contents.
NEUTRAL = {"membrane.C_m": np.full(ROWS, 1e-9)}


@functools.cache
def parameters(seed=0):
    """Random cells of one structure, away from the limits of existence."""
    rng = np.random.default_rng(seed)
    nominal = CELL.nominal()
    params = {name: nominal[name] * np.exp(rng.normal(0.0, 0.3, ROWS)) for name in nominal}
    params["T"] = rng.uniform(280.0, 315.0, ROWS)
    params["cytosol.z_X"] = rng.uniform(-2.0, 0.5, ROWS)
    return params


def rest(changed=()):
    found = jm.steady_state(CELL, parameters() | dict(changed), outputs=SHOWN)
    assert found.ok.all()
    return found


def times(factor, names):
    return {name: factor * parameters()[name] for name in names}


def assert_same(one, other, *, V=1.0, c=1.0, volume=1.0, rtol=1e-9):
    assert_allclose(one.V, V * other.V, rtol=rtol)
    assert_allclose(one.c.values, c * other.c.values, rtol=rtol)
    assert_allclose(one.volume, volume * other.volume, rtol=rtol)


def test_impermeant_of_the_same_charge_changes_volume_only():
    assert_same(rest(NEUTRAL | times(3.0, ["cytosol.X"])), rest(NEUTRAL), volume=3.0)


def test_all_rates_together_change_time_only():
    slow, fast = rest(), rest(times(7.0, STRENGTHS))
    assert_same(fast, slow, rtol=1e-8)
    assert_allclose(fast.flux.values, 7.0 * slow.flux.values, rtol=1e-6, atol=1e-9)


def test_all_concentrations_outside_scale_those_inside():
    assert_same(rest(NEUTRAL | times(1.7, BATH)), rest(NEUTRAL), c=1.7, volume=1 / 1.7)


def test_without_cotransport_the_chloride_conductance_does_not_matter():
    passive = {"kcc2.g": 0.0, "nkcc1.g": 0.0}
    one, other = rest(passive), rest(passive | times(5.0, ["leak_Cl.g"]))
    assert_same(one, other)
    bath = parameters()["bath.Cl"]
    E_Cl = jm.analytic.nernst(-1, bath, one.c["Cl"], parameters()["T"])
    assert_allclose(one.V, E_Cl, rtol=1e-9)


@pytest.mark.parametrize("names", [["membrane.L_w"], ["membrane.area"], ["membrane.C_m"]])
def test_water_permeability_area_and_capacitance_do_not_move_a_neutral_rest(names):
    changed = {name: 4.0 * (NEUTRAL | parameters())[name] for name in names}
    if names == ["membrane.C_m"]:
        changed = {"membrane.C_m": 4.0 * NEUTRAL["membrane.C_m"]}
    assert_same(rest(NEUTRAL | changed), rest(NEUTRAL))


def test_currents_add_up_to_zero_and_water_is_in_balance():
    found, params = rest(), parameters()
    charges = np.array([leg.reaction.charge for leg in CELL.legs])
    currents = charges * np.asarray(found.flux.values)
    assert (np.abs(currents.sum(axis=-1)) < 1e-9 * np.abs(currents).max(axis=-1)).all()
    impermeant = sum(params[name] for name in BATH) - np.asarray(found.c.values).sum(axis=-1)
    assert_allclose(impermeant * found.volume, params["cytosol.X"], rtol=1e-9)
    charge = params["cytosol.z_X"] * params["cytosol.X"]
    charge = charge + found.volume * (found.c["Na"] + found.c["K"] - found.c["Cl"])
    stored = params["membrane.C_m"] * params["membrane.area"] * found.V
    assert_allclose(constants.F * charge, stored, rtol=1e-5, atol=1e-6)


# --- balances, for any structure and state

NCX = jm.Transporter(
    "ncx", "3 Na_o + Ca_i <-> 3 Na_i + Ca_o", mass_action,
    {"k": jm.Param(1e-9, "amol/um^2/s/mM^4", "rate constant")},
)  # fmt: skip
OPTIONAL = [
    *(jm.na_k_atpase(law, name=law) for law in NKA_LAWS),
    *(jm.kcc2(law, name=f"kcc_{law}") for law in ("saturating", "log", "mass_action")),
    *(jm.nkcc1(law, name=f"nkcc_{law}") for law in ("palk", "log", "mass_action")),
    jm.ncc(),
    jm.channel("mixed", {jm.K: 1.0, jm.Cl: 0.3}),
    NCX,
]
TYPICAL = {"Na": 14.0, "K": 110.0, "Cl": 9.0, "Ca": 1e-3}


@st.composite
def structures(draw):
    """Transporters of a cell: a leak for each ion, and any of the catalogue, in any order."""
    leaks = [jm.leak(s, draw(st.sampled_from(["ghk", "ohmic"]))) for s in (*IONS, jm.Ca)]
    chosen = draw(st.lists(st.sampled_from(OPTIONAL), max_size=5, unique_by=lambda t: t.name))
    return draw(st.permutations([*leaks, *chosen]))


def random_state(cell, rng, **nominal):
    """Equations of a cell that carry all species, with random parameters, and a state."""
    params = {name: p.nominal * np.exp(rng.normal(0.0, 0.5)) for name, p in cell.parameters.items()}
    eq = Equations(cell, params | nominal, carry_all=True)
    usual = {"phi": rng.uniform(-5.0, 2.0), "w": np.log(2000.0) + rng.normal()}
    u = {
        key: np.log(TYPICAL[key[2]]) + rng.normal() if key[0] == "c" else usual[key[0]]
        for key in eq.unknowns
    }
    return eq, u


def all_free(transporters):
    """A cell whose species are all free, also those that buffers usually hold."""
    carried = {s for t in transporters for leg in t.legs for s in leg.reaction.species}
    return jm.Cell(transporters, compartment=jm.Compartment(free=carried))


def ordered(eq, u):
    return [jnp.asarray(u[key]) for key in eq.unknowns]


def balances(eq, u):
    return dict(zip(eq.rows, eq.residual(ordered(eq, u)), strict=True))


@settings(max_examples=40)
@given(structures(), st.integers(0, 2**32 - 1))
def test_charge_that_enters_is_the_current_of_all_transporters(transporters, seed):
    eq, u = random_state(all_free(transporters), np.random.default_rng(seed))
    rates = balances(eq, u)
    reading = Reading(eq, eq.state(ordered(eq, u)))
    valence = {s.name: s.z for s in eq.cell.contents["cytosol"]}
    entering = [constants.F * valence[key[2]] * x for key, x in rates.items() if key[0] == "n"]
    currents = [-eq.params["membrane.area"] * x for x in reading.current.values()]
    scale = sum(abs(x) for x in entering) + sum(abs(x) for x in currents)
    assert abs(sum(entering) - sum(currents)) < 1e-13 * scale


@settings(max_examples=25)
@given(structures(), st.randoms(use_true_random=False), st.integers(0, 2**32 - 1))
def test_the_order_of_transporters_does_not_matter(transporters, random, seed):
    shuffled = random.sample(transporters, len(transporters))
    eq, u = random_state(all_free(transporters), np.random.default_rng(seed))
    one, other = balances(eq, u), balances(Equations(all_free(shuffled), eq.params, True), u)
    assert one.keys() == other.keys()
    for key in one:
        assert_allclose(one[key], other[key], rtol=1e-11, atol=1e-14 * max(map(abs, one.values())))


@settings(max_examples=25)
@given(structures(), st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_two_parts_of_a_transporter_are_the_whole(transporters, seed, share):
    """For every transporter at once: its strength is shared between it and a twin."""
    twins = [
        jm.Transporter(
            f"{t.name}_twin", {leg.name: (leg.reaction.text, leg.rate) for leg in t.legs},
            params=dict(t.params),
        )
        for t in transporters
    ]  # fmt: skip
    eq, u = random_state(all_free(transporters), np.random.default_rng(seed))
    params = dict(eq.params)
    for t, twin in zip(transporters, twins, strict=True):
        for position, (name, _) in enumerate(t.params):
            strength = eq.params[f"{t.name}.{name}"]
            # The first parameter is the strength.
            params[f"{t.name}.{name}"] = strength * (share if position == 0 else 1.0)
            params[f"{twin.name}.{name}"] = strength * (1.0 - share if position == 0 else 1.0)
    both = balances(Equations(all_free([*transporters, *twins]), params, True), u)
    one = balances(eq, u)
    for key in one:
        assert_allclose(both[key], one[key], rtol=1e-11, atol=1e-13 * max(map(abs, one.values())))


@settings(max_examples=25)
@given(structures(), st.integers(0, 2**32 - 1))
def test_free_energy_never_rises_where_no_pump_runs(transporters, seed):
    """G/RT = sum n (ln c/c_o - 1) + X (ln x - 1) + Pi w + C A V^2 / 2RT, at constant area."""
    passive = [t for t in transporters if t.name not in NKA_LAWS]
    eq, u = random_state(all_free(passive), np.random.default_rng(seed))
    outside = {s.name: eq.params[f"bath.{s.name}"] for s in eq.cell.contents["bath"]}
    valence = {s.name: s.z for s in eq.cell.contents["cytosol"]}
    X, z_X = eq.params["cytosol.X"], eq.params["cytosol.z_X"]
    capacitance = eq.params["membrane.C_m"] * eq.params["membrane.area"]
    volume = np.exp(u["w", "cytosol"])
    amounts = {s: volume * np.exp(u["c", "cytosol", s]) for s in valence}
    # The impermeant's charge is such that V is the state's.
    V = u["phi", "cytosol"] * eq.RT / eq.F
    z_X = (capacitance * V / eq.F - sum(valence[s] * n for s, n in amounts.items())) / X

    def energy(amounts, w):
        V = eq.F * (sum(valence[s] * n for s, n in amounts.items()) + z_X * X) / capacitance
        mixing = sum(n * (jnp.log(n / w / outside[s]) - 1.0) for s, n in amounts.items())
        mixing = mixing + X * (jnp.log(X / w) - 1.0) + eq.bath_osmolarity["bath"] * w
        return eq.RT * mixing + 0.5 * capacitance * V**2

    potentials, pressure = jax.grad(energy, argnums=(0, 1))(amounts, jnp.asarray(volume))
    rates = balances(eq, u)
    heat = [potentials[s] * rates["n", "cytosol", s] for s in valence]
    heat.append(pressure * rates["w", "cytosol"])
    assert sum(heat) < 0


def test_strengths_scale_every_balance():
    cell = jm.Cell([*map(jm.leak, IONS), jm.na_k_atpase(), jm.kcc2(), jm.nkcc1(), jm.ncc()])
    strengths = [f"{t.name}.{t.params[0][0]}" for t in cell.transporters] + ["membrane.L_w"]
    eq, u = random_state(cell, np.random.default_rng(0))
    faster = eq.params | {name: 3.0 * eq.params[name] for name in strengths}
    one, other = balances(eq, u), balances(Equations(cell, faster, True), u)
    for key in one:
        assert_allclose(other[key], (1.0 if key[0] == "q" else 3.0) * one[key], rtol=1e-12)


def test_a_channel_of_one_ion_is_a_leak():
    """In its balances and in every output."""
    leak = jm.Cell([jm.leak(jm.K, P=0.01), jm.leak(jm.Cl), jm.leak(jm.Na)])
    channel = jm.Cell([jm.channel("c", {jm.K: 1.0}, P=0.01), jm.leak(jm.Cl), jm.leak(jm.Na)])
    eq, u = random_state(leak, np.random.default_rng(0))
    params = eq.params | {"c.P": eq.params["leak_K.P"], "c.r_K": 1.0}
    other = Equations(channel, params, True)
    assert balances(eq, u) == balances(other, u)
    for output in OUTPUTS.values():
        one, two = (output.values(Reading(e, e.state(ordered(e, u)))) for e in (eq, other))
        assert_allclose(one, two, rtol=1e-14)


# --- structure


def neuron(**options):
    return jm.Cell([*OHMIC, jm.na_k_atpase("cubic"), jm.kcc2("log")], **options)


def test_cells_that_were_built_alike_are_equal():
    for make in (neuron, jm.zoo.neuron, lambda: neuron(nominal={"bath.K": 5.0, "T": 300.0})):
        assert make() == make() and hash(make()) == hash(make())
    assert neuron(nominal={"T": 300, "bath.K": 5}) == neuron(nominal={"bath.K": 5.0, "T": 300.0})
    assert neuron(source="a paper") == neuron()


def test_cells_that_differ_are_not_equal():
    others = [
        neuron(area="sphere"), neuron(nominal={"bath.K": 5.0}), neuron(bath=jm.Bath(derive="Cl")),
        neuron(bath=jm.Bath("outside")), jm.Cell([*OHMIC, jm.na_k_atpase("cubic")]),
        jm.Cell([*OHMIC, jm.kcc2("log"), jm.na_k_atpase("cubic")]),
    ]  # fmt: skip
    assert len({neuron(), *others}) == 1 + len(others)


def test_two_species_of_one_name_are_refused():
    """Parameters and results go by name, so that one would be taken for the other."""
    other = jm.leak(jm.Species("K", +2), name="leak_other")
    with pytest.raises(ValueError, match="K"):
        jm.Cell([*OHMIC, other])
