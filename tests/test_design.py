import functools
import json
import math
import pickle
import time
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import qmc

from jaxmembrane.distributions import Choice, Grid, LogNormal, LogUniform, Normal, Uniform
from jaxmembrane.expression import Function
from jaxmembrane.space import Space, table

FIXED = {"T": 310.0, "bath.X": 1.5}


def wide(**rules):
    """A space with every distribution, a linked axis, derived parameters and constraints."""
    axes = {
        "bath.K": Uniform(2.0, 12.0),
        ("leak_Na.g", "leak_Cl.g"): LogUniform(1e-3, 10.0),
        "bath.Na": Normal(145.0, 5.0),
        "nka.j": LogNormal(100.0, 1.0),
        "cytosol.z_X": Choice([-0.5, -1.0, -0.85]),
        "kcc2.g": Grid([0.0, 1.0, 2.0, 5.0]),
    }
    derive = {
        "bath.Cl": "bath.sum - bath.X",
        "bath.sum": "bath.Na + bath.K",
        "membrane.L_w": "exp(leak_Na.g / T) * sqrt(nka.j) / bath.K ** 1.37 + log(nka.j)",
    }
    where = ("2.5 < bath.K < 11.5 and not (bath.Na > 155 or kcc2.g == 5)", "nka.j >= leak_Na.g")
    return Space(axes, **{"derive": derive, "where": where} | rules)


def make(kind, n, seed=0):
    if kind == "table":
        rng = np.random.default_rng(0)
        return table({"bath.K": rng.uniform(2, 12, n), "nka.j": rng.uniform(size=n)})
    if kind == "grid":
        return wide_grid().grid(n={"bath.K": n, "leak_Cl.g": 3})
    return getattr(wide(), kind)(n, seed)


def wide_grid():
    axes = {"bath.K": Uniform(2.0, 12.0), ("leak_Na.g", "leak_Cl.g"): LogUniform(0.01, 100.0)}
    return Space(axes | {"bath.Na": Grid([145.0, 140.0])}, derive={"bath.Cl": "bath.Na - T / 10"})


KINDS = ["sobol", "random", "latin", "grid", "table"]
EXTENDABLE = ["sobol", "random"]


def same(left, right):
    """Whether two results of `rows` are equal bit for bit."""
    (values, valid), (others, allowed) = left, right
    assert list(values) == list(others)
    for name in values:
        assert values[name].dtype == others[name].dtype == np.float64
        assert values[name].tobytes() == others[name].tobytes(), name
    np.testing.assert_array_equal(valid, allowed)
    return True


# A row depends on the space, the seed and its index alone.


@functools.cache
def whole(kind, n, seed):
    design = make(kind, n, seed)
    return design, design.rows(0, design.n, FIXED)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_slice_equals_the_whole(kind, data):
    n = data.draw(st.sampled_from([1 if kind != "grid" else 2, 63, 64, 200, 257]))
    design, (values, valid) = whole(kind, n, 5)
    start = data.draw(st.integers(0, design.n))
    stop = data.draw(st.integers(start, design.n))
    part = {name: column[start:stop] for name, column in values.items()}
    assert same(design.rows(start, stop, FIXED), (part, valid[start:stop]))


@pytest.mark.parametrize("kind", EXTENDABLE)
@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 300), more=st.integers(0, 300), seed=st.integers(0, 2**70))
def test_the_first_rows_of_a_longer_design_are_the_shorter_one(kind, n, more, seed):
    short, long = make(kind, n, seed), make(kind, n + more, seed)
    assert short.extendable
    assert short.describe() == long.describe()
    assert same(short.rows(0, n, FIXED), long.rows(0, n, FIXED))


@pytest.mark.parametrize("kind", ["latin", "grid", "table"])
def test_other_kinds_are_told_apart_by_their_length(kind):
    assert not make(kind, 8).extendable
    assert make(kind, 8).describe() != make(kind, 16).describe()


@pytest.mark.parametrize("kind", ["sobol", "random", "latin"])
def test_seed_zero_is_a_seed_and_seeds_differ(kind):
    zero, default, one = make(kind, 50, 0), getattr(wide(), kind)(50), make(kind, 50, 1)
    assert same(zero.rows(0, 50, FIXED), default.rows(0, 50, FIXED))
    assert (zero.rows(0, 50, FIXED)[0]["bath.K"] != one.rows(0, 50, FIXED)[0]["bath.K"]).all()
    assert zero.seed == 0
    assert zero.describe() != one.describe()


def test_rows_do_not_depend_on_the_order_or_thread_in_which_they_are_asked_for(monkeypatch):
    fast_forward = qmc.Sobol.fast_forward

    def slow(engine, n):
        time.sleep(1e-4)  # lets another thread in
        return fast_forward(engine, n)

    monkeypatch.setattr(qmc.Sobol, "fast_forward", slow)
    design, (values, _) = whole("sobol", 257, 5)
    starts = np.random.default_rng(0).integers(0, 250, 60).tolist()
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda k: design.rows(k, k + 7, FIXED)[0]["nka.j"], starts))
    for start, part in zip(starts, parts, strict=True):
        np.testing.assert_array_equal(part, values["nka.j"][start : start + 7])


def test_the_streams_are_pinned():
    box = Space({"a": Uniform(0.0, 1.0), "b": Uniform(0.0, 1.0)})
    pinned = {
        "sobol": [
            [0.07154229050502181, 0.38516470650210977],
            [0.583664386998862, 0.5711014843545854],
            [0.8123667594045401, 0.1928053954616189],
            [0.2843758799135685, 0.7576009202748537],
        ],
        "random": [
            [0.0668020093396563, 0.07901298235490295],
            [0.005777118030780293, 0.8065566941349537],
            [0.24510580242049929, 0.30063498951304624],
            [0.3595581809659053, 0.46409050640493366],
        ],
        "latin": [
            [0.016700502334914075, 0.5197532455887257],
            [0.3112764506051248, 0.8251587473782616],
            [0.8881557698998798, 0.45813440543499967],
            [0.5606244038588896, 0.11215356713304075],
        ],
    }
    for kind, expected in pinned.items():
        values, _ = getattr(box, kind)(4, seed=1).rows(0, 4)
        assert np.stack([values["a"], values["b"]], axis=1).tolist() == expected


def test_far_rows_of_a_sobol_design_are_at_hand():
    box = Space({"a": Uniform(0.0, 1.0)})
    far = box.sobol(2**32).rows(3_000_000, 3_000_002)[0]["a"]
    np.testing.assert_array_equal(far, box.sobol(2**22).rows(2_999_990, 3_000_100)[0]["a"][10:12])
    assert np.isfinite(box.random(2**60).rows(2**60 - 3, 2**60)[0]["a"]).all()


def test_a_design_can_be_sent_to_another_process():
    design = wide().sobol(100, seed=3)
    assert same(pickle.loads(pickle.dumps(design)).rows(7, 50, FIXED), design.rows(7, 50, FIXED))


def test_rows_belong_to_who_asked_for_them():
    design, (values, _) = whole("sobol", 200, 5)
    mine, _ = design.rows(0, 200, FIXED)
    for column in mine.values():
        column[:] = -1.0
    assert same(design.rows(0, 200, FIXED), (values, design.rows(0, 200, FIXED)[1]))


# How the points are spread.


def test_sobol_is_even_and_marginals_are_right():
    n = 2**12
    values, _ = wide().sobol(n, seed=2).rows(0, n, FIXED)
    strata = np.floor((values["bath.K"] - 2.0) / 10.0 * n).astype(int)
    assert len(np.unique(strata)) == n  # one point in each of n strata: the first t-net property
    for column, cdf in marginals(values):
        assert stats.kstest(column, cdf).statistic < 2.0 / n
    assert np.bincount(np.digitize(values["kcc2.g"], [0.5, 1.5, 3.0])).tolist() == [n // 4] * 4


@pytest.mark.parametrize("kind", ["random", "latin"])
def test_marginals_are_right(kind):
    n = 5000
    values, _ = make(kind, n, 7).rows(0, n, FIXED)
    for column, cdf in marginals(values):
        assert stats.kstest(column, cdf).pvalue > 0.01
    assert stats.chisquare(np.unique(values["cytosol.z_X"], return_counts=True)[1]).pvalue > 0.01


def marginals(values):
    return [
        (values["bath.K"], stats.uniform(2.0, 10.0).cdf),
        (values["leak_Na.g"], stats.loguniform(1e-3, 10.0).cdf),
        (values["bath.Na"], stats.norm(145.0, 5.0).cdf),
        (values["nka.j"], stats.lognorm(1.0, scale=100.0).cdf),
    ]


def test_axes_and_rows_of_a_random_design_are_independent():
    values, _ = wide().random(20_000, seed=4).rows(0, 20_000, FIXED)
    columns = [values["bath.K"], np.log(values["leak_Na.g"]), values["bath.Na"]]
    columns += [np.log(values["nka.j"])]
    columns += [np.roll(column, 1) for column in columns]
    correlation = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(correlation).max() < 4.5 / math.sqrt(20_000)


def test_latin_has_one_point_in_each_stratum():
    n = 321
    values, _ = make("latin", n, 9).rows(0, n, FIXED)
    quantiles = stats.norm(145.0, 5.0).cdf(values["bath.Na"]), (values["bath.K"] - 2.0) / 10.0
    for quantile in quantiles:
        assert sorted(np.floor(quantile * n)) == list(range(n))
    assert abs(np.corrcoef(*quantiles)[0, 1]) < 0.2


# What a row sets.


def test_names_and_needs():
    design = wide().sobol(10)
    swept = ("bath.K", "leak_Na.g", "leak_Cl.g", "bath.Na", "nka.j", "cytosol.z_X", "kcc2.g")
    assert design.names == (*swept, "bath.Cl", "bath.sum", "membrane.L_w")
    assert design.needs == ("bath.X", "T")
    assert repr(design).startswith("<sobol design of 10 rows, seed 0: bath.K, leak_Na.g")


def test_linked_axes_share_one_number():
    values, _ = wide().random(100).rows(0, 100, FIXED)
    np.testing.assert_array_equal(values["leak_Na.g"], values["leak_Cl.g"])
    assert values["leak_Na.g"] is not values["leak_Cl.g"]


def test_derived_parameters_and_constraints():
    values, valid = wide().sobol(500).rows(0, 500, FIXED)
    k, na, g, j = (values[name] for name in ("bath.K", "bath.Na", "leak_Na.g", "nka.j"))
    np.testing.assert_allclose(values["bath.Cl"], k + na - 1.5, rtol=1e-15)
    np.testing.assert_allclose(
        values["membrane.L_w"], np.exp(g / 310) * np.sqrt(j) / k**1.37 + np.log(j), rtol=1e-14
    )
    allowed = (k > 2.5) & (k < 11.5) & ~((na > 155) | (values["kcc2.g"] == 5)) & (j >= g)
    np.testing.assert_array_equal(valid, allowed)
    assert 0 < valid.sum() < 500


# The description of a design is its fingerprint.


@pytest.mark.parametrize("kind", KINDS)
def test_descriptions_are_json_and_repeat(kind):
    text = json.dumps(make(kind, 4).describe(), allow_nan=False)
    assert text == json.dumps(make(kind, 4).describe())


def test_descriptions_differ_when_the_rows_do():
    base = {"a": Uniform(0.0, 1.0), "b": Uniform(0.0, 1.0)}
    spaces = [
        Space(base),
        Space({"b": base["b"], "a": base["a"]}),
        Space({"a": Uniform(0.0, 2.0), "b": base["b"]}),
        Space({"a": LogUniform(0.5, 1.0), "b": base["b"]}),
        Space({("a", "b"): base["a"]}),
        Space(base, derive={"c": "a + b"}),
        Space(base, derive={"c": "a - b"}),
        Space(base, derive={"c": lambda p: p["a"] + 1}),
        Space(base, derive={"c": lambda p: p["a"] + 2}),
        Space(base, derive={"c": lambda p: np.exp(p["a"])}),
        Space(base, derive={"c": lambda p: np.log(p["a"])}),
        Space(base, derive={"c": lambda p, k=1: p["a"] + k}),
        Space(base, derive={"c": lambda p, k=2: p["a"] + k}),
        Space(base, where="a < b"),
        Space(base, where="b < a"),
    ]
    described = [json.dumps(s.sobol(8).describe()) for s in spaces]
    described += [
        json.dumps(spaces[0].random(8).describe()),
        json.dumps(spaces[0].grid(8).describe()),
    ]
    assert len(set(described)) == len(described)


def test_the_description_of_a_function_does_not_depend_on_how_a_set_prints():
    def rule(p):
        return p["a"] in {1, 2}

    digests = set()
    for constant in (frozenset((0, 8)), frozenset((8, 0))):
        code = rule.__code__.replace(co_consts=(None, constant, "a"))
        function = types.FunctionType(code, globals(), "rule")
        digests.add(Function(function).describe()["sha256"])
    assert repr(frozenset((0, 8))) != repr(frozenset((8, 0)))
    assert len(digests) == 1
