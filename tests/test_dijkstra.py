"""The neuron of Dijkstra et al. 2016: its gates, its two rests, its spikes, and how it swells."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane.kinetics.gating import ExpLinearRate, ExponentialRate, Rate, SigmoidRate
from jaxmembrane.library.gating import boltzmann, gate
from jaxmembrane.library.recording import electrode

pytestmark = pytest.mark.slow

NEURON = jm.zoo.neuron_dijkstra()
# The same with an electrode, to inject current.
CELL = jm.Cell([*NEURON.transporters, electrode()], dict(NEURON.overrides))
PUMP, LEAK = (NEURON.parameters[name].nominal for name in ("nka.j_max", "leak_K.P"))
POLARISED = {"V": -65.5, "Na": 10.0, "Cl": 7.0, "volume": 2000.0}
SWOLLEN = {"V": -25.6, "Na": 139.6, "Cl": 49.4, "volume": 2803.0}
SIDES = {"Na_i": 10.0, "K_i": 145.0, "Cl_i": 7.0, "Na_o": 152.0, "K_o": 3.0, "Cl_o": 135.0}


def printed(V):
    """Alpha and beta of m, h and n as the source prints them, 1/ms, V in mV."""
    exp = np.exp
    return {
        "m": (
            0.32 * (V + 52) / (1 - exp(-(V + 52) / 4)),
            0.28 * (V + 25) / (exp((V + 25) / 5) - 1),
        ),
        "h": (0.128 * exp(-(V + 53) / 18), 4 / (1 + exp(-(V + 30) / 5))),
        "n": (0.016 * (V + 35) / (1 - exp(-(V + 35) / 5)), 0.25 * exp(-(V + 50) / 40)),
    }


def named(name):
    return next(t for t in NEURON.transporters if t.name == name)


# Fraction of the pump, where to begin, K leak over its own; V (mV), Na (mM) and volume (um^3) of
# the rest with the last digit that is known.
RESTS = {
    "as deposited": (1.0, POLARISED, 1.0, (-65.503, 5e-4), (10.0005, 5e-5), (1999.99, 5e-3)),
    "K leak balanced with n^2": (
        1.0, POLARISED, 19.94892483 / 19.9524692, (-65.5, 1e-5), (10.0, 5e-6), (2000.0, 5e-4),
    ),
    "pump at 0.65": (0.65, POLARISED, 1.0, (-58.86, 5e-3), (41.6, 5e-2), (2036.3, 5e-2)),
    "pump at 0.64, swollen": (0.64, SWOLLEN, 1.0, (-25.60, 5e-3), (139.6, 5e-2), (2802.7, 5e-2)),
    "full pump, swollen": (1.0, SWOLLEN, 1.0, (-30.77, 5e-3), (125.1, 5e-2), (2532.1, 5e-2)),
}  # fmt: skip


@pytest.fixture(scope="module")
def rest():
    fraction, start, leak = (
        np.array(column) for column in [*zip(*RESTS.values(), strict=True)][:3]
    )
    return jm.steady_state(
        CELL,
        {"nka.j_max": PUMP * fraction, "leak_K.P": LEAK * leak},
        start={name: np.array([x[name] for x in start]) for name in POLARISED},
        outputs=["V", "c", "volume", "gate"],
    )


@pytest.mark.parametrize("name", RESTS)
def test_it_rests_where_the_authors_program_does(rest, name):
    lane = list(RESTS).index(name)
    V, Na, volume = RESTS[name][3:]
    assert rest.ok[lane]
    for found, (expected, digit) in ((rest.V, V), (rest.c["Na"], Na), (rest.volume, volume)):
        assert_allclose(found[lane], expected, atol=digit, rtol=0)


def test_gates_rest_where_opening_balances_closing(rest):
    rates = printed(np.asarray(rest.V)).values()
    for where, (alpha, beta) in zip(("na_v.m", "na_v.h", "k_v.n"), rates, strict=True):
        assert_allclose(rest.gate[where], alpha / (alpha + beta), rtol=1e-10)


def test_currents_of_the_channels_are_those_in_print():
    F, V = 96.48533212, np.linspace(-97.0, 61.0, 20)
    u = V * F / (8.314462618 * 310.0)
    m, h, n = (alpha / (alpha + beta) for alpha, beta in printed(V).values())
    open_ = {"na_v": 800 * m**3 * h, "k_v": 400 * n**2, "cl_v": 19.5 / (1 + np.exp(-(V + 10) / 10))}
    for (name, P), ion, z in zip(open_.items(), ("Na", "K", "Cl"), (1, 1, -1), strict=True):
        inside, outside = SIDES[f"{ion}_i"], SIDES[f"{ion}_o"]
        ghk = z * u * (inside - outside * np.exp(-z * u)) / (1 - np.exp(-z * u))
        found = named(name).at(V=V, T=310.0, **SIDES)
        assert_allclose(2000.0 * found.current, z * F * P * ghk, rtol=1e-10)


@pytest.mark.parametrize("name", ["na_v", "k_v", "cl_v"])
def test_gated_channels_keep_the_contract(name):
    assert {row.verdict for row in jm.check(named(name)).rows} == {"ok"}


# Value over rate at x, and its first three Taylor coefficients.
SHAPES = {
    ExponentialRate: (np.exp, (1, 1, 1 / 2)),
    SigmoidRate: (lambda x: 1 / (1 + np.exp(-x)), (1 / 2, 1 / 4, 0)),
    ExpLinearRate: (lambda x: x / (1 - np.exp(-x)), (1, 1 / 2, 1 / 12)),
}


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("k", [4.0, -7.0])
def test_gates_open_and_close_at_their_rates_exact_at_the_midpoint(kind, k):
    shape, taylor = SHAPES[kind]
    closing = SigmoidRate(100.0, 10.0, 5.0)
    channel = jm.leak(jm.K).regulated(gate("x", kind(300.0, -40.0, k), closing))
    ((_, rate),), own = channel.gates, {name: p.nominal for name, p in channel.params}

    def moves(V, x=0.0):
        return rate(SimpleNamespace(V=V, gates={"x": x}), own)

    slope = jax.grad(moves)
    middle = jnp.float64(-40.0)
    found = (moves(middle), slope(middle), 0.5 * jax.grad(slope)(middle))
    for order, (value, c) in enumerate(zip(found, taylor, strict=True)):
        assert_allclose(value, 300.0 * c / k**order, rtol=1e-13, atol=1e-13)
    V = jnp.asarray([-120.0, -41.0, -39.9999, 0.0, 55.0])
    alpha, beta = 300.0 * shape((np.asarray(V) + 40.0) / k), 100.0 / (1 + np.exp(2.0 - V / 5.0))
    # The formula as printed loses what ours does not, next to its midpoint.
    assert_allclose(moves(V), alpha, rtol=1e-10)
    assert_allclose(moves(V, 0.25), 0.75 * alpha - 0.25 * beta, rtol=1e-10)
    for far in (-1e4, 1e4):
        if kind is not ExponentialRate:
            assert np.isfinite(slope(jnp.float64(far)))


# Peaks of V after pulses of 1 ms (fA/um^2): the first at 5 ms, the second at 8, 15 or 40 ms.
PULSES = {
    "none": (0, 0, 0, 0),
    "weak": (100, 0, 0, 0),
    "strong": (200, 0, 0, 0),
    "stronger": (300, 0, 0, 0),
    "again after 3 ms": (300, 300, 0, 0),
    "again after 10 ms": (300, 0, 300, 0),
    "again after 35 ms": (300, 0, 0, 300),
}
AT = (5e-3, 8e-3, 15e-3, 40e-3)
MS = np.arange(0.0, 60.0, 0.1)


@pytest.fixture(scope="module")
def course():
    pulses = np.array([*PULSES.values()], float).T
    steps = [
        step
        for at, pulse in zip(AT, pulses, strict=True)
        for step in (jm.Step(at, {"electrode.I": pulse}), jm.Step(at + 1e-3, {"electrode.I": 0.0}))
    ]
    return jm.simulate(
        CELL, protocol=jm.Protocol(steps), times=1e-3 * MS, start=POLARISED, outputs=["V"]
    )


def peaks(course):
    """Largest V (mV) of each lane of pulses, after each time at which there may be one."""
    V = np.asarray(course.V)
    parts = np.split(V, [np.searchsorted(MS, 1e3 * at) for at in AT[1:]], axis=1)
    return {name: [part[k].max() for part in parts] for k, name in enumerate(PULSES)}


def test_it_fires_all_or_none_and_overshoots(course):
    assert course.ok.all()
    found = peaks(course)
    assert_allclose(found["none"], -65.503, atol=5e-3)
    assert max(found["weak"]) < -55.0
    assert 15.0 < max(found["strong"]) < max(found["stronger"]) < 20.0
    V = np.asarray(course.V)[list(PULSES).index("strong")]
    # After its spike it is more negative than at rest, and comes back.
    assert -69.0 < V.min() < -67.5
    assert_allclose(V[-1], -65.503, atol=0.02)


def test_after_a_spike_it_is_refractory(course):
    found = peaks(course)
    first = found["stronger"][0]
    assert found["again after 3 ms"][1] < -30.0  # absolutely: no spike
    assert 10.0 < found["again after 10 ms"][2] < first - 3.0  # relatively: a smaller one
    assert_allclose(found["again after 35 ms"][3], first, atol=0.3)


@pytest.mark.slow
def test_it_fires_and_swells_for_good_when_the_pump_falls_below_the_fold():
    """A quarter of an hour at -59 mV, then 100 s of spikes, which take 200,000 steps."""
    slower = jm.Step(0.0, {"nka.j_max": PUMP * np.array([0.65, 0.64])})
    course = jm.simulate(
        CELL,
        protocol=jm.Protocol([slower]),
        times=[900.0, 86400.0],
        start=POLARISED,
        outputs=["V", "c", "volume"],
        rtol=1e-3,
        max_steps=400_000,
    )
    assert course.ok.all()
    assert_allclose(course.V[:, 0], -59.5, atol=0.5)
    assert_allclose(course.V[:, 1], [-58.86, -25.60], atol=5e-3)
    assert_allclose(course.c["Na"][:, 1], [41.6, 139.6], atol=5e-2)
    assert_allclose(course.volume[:, 1], [2036.3, 2802.7], atol=5e-2)


MISTAKES = [
    (lambda: gate("a b", SigmoidRate(1, 0, 1), SigmoidRate(1, 0, 1)), ValueError, "name of a gate"),
    (lambda: gate("m", 3.0, SigmoidRate(1, 0, 1)), TypeError, "opening of gate m must be a rate"),
    (
        lambda: gate("m", SigmoidRate(1, 0, 1), SigmoidRate(1, 0, 1), 1.5),
        ValueError,
        "power of gate m must be a whole number above zero, not 1.5",
    ),
    (lambda: SigmoidRate(1.0, 0.0, 0.0), ValueError, "k of SigmoidRate must be a number of mV"),
    (lambda: SigmoidRate(0.0, 0.0, 1.0), ValueError, "rate of SigmoidRate must be a number of 1/s"),
    (lambda: ExpLinearRate(1.0, "a", 1.0), ValueError, "V of ExpLinearRate must be a number of mV"),
    (lambda: Rate(1.0, 0.0, 1.0), TypeError, "abstract"),
    (lambda: boltzmann(0.0, 0.0), ValueError, "k of gate open must be a number of mV, not zero"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "sentence"), MISTAKES)
def test_a_mistake_is_refused_in_one_sentence(make, kind, sentence):
    with pytest.raises(kind, match=sentence):
        make()
