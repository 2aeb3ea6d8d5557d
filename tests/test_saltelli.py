"""Designs in blocks: what a block is, that it depends on its number alone, and what is refused."""

import functools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from jaxmembrane.blocks import restored
from jaxmembrane.distributions import Choice, Grid, LogNormal, LogUniform, Normal, Uniform
from jaxmembrane.space import Space

FIXED = {"T": 310.0, "bath.X": 1.5}
GROUPS = {"salts": ["bath.Na", "bath.K"], "leaks": ["leak_Cl.g", "leak_Na.g"]}


def wide():
    """A space with every distribution, a linked axis, a derived parameter and a constraint."""
    axes = {
        "bath.K": Uniform(2.0, 12.0),
        ("leak_Na.g", "leak_Cl.g"): LogUniform(1e-3, 10.0),
        "bath.Na": Normal(145.0, 5.0),
        "nka.j": LogNormal(100.0, 1.0),
        "cytosol.z_X": Choice([-0.5, -1.0]),
        "kcc2.g": Grid([0.0, 1.0, 2.0, 5.0]),
    }
    derive = {"bath.Cl": "bath.Na + bath.K - bath.X"}
    return Space(axes, derive=derive, where="3.0 < bath.K and nka.j >= leak_Na.g")


def make(kind, n, seed=5):
    return {
        "saltelli": lambda: wide().saltelli(n, seed),
        "saltelli second": lambda: wide().saltelli(n, seed, second_order=True, groups=GROUPS),
        "morris": lambda: wide().morris(n, seed),
        "morris groups": lambda: wide().morris(n, seed, levels=8, groups=GROUPS),
    }[kind]()


SALTELLI = [
    [0.6024873971473426, 0.34152585733681917, 0.6024873971473426, 0.34152585733681917],
    [0.43525751354172826, 0.43525751354172826, 0.15884282393381, 0.15884282393381],
]
MORRIS = [[0.0, 0.0, 0.6666666666666666, 1.0], [0.3333333333333333, 1.0, 1.0, 0.3333333333333333]]
KINDS = ["saltelli", "saltelli second", "morris", "morris groups"]


def same(left, right):
    """Whether two results of `rows` are equal bit for bit."""
    (values, valid), (others, allowed) = left, right
    assert list(values) == list(others)
    for name in values:
        assert values[name].tobytes() == others[name].tobytes(), name
    np.testing.assert_array_equal(valid, allowed)
    return True


@functools.cache
def whole(kind, n):
    design = make(kind, n)
    return design, design.rows(0, design.n, FIXED)


def blocks_of(design):
    """Swept parameters by block, (blocks, rows of a block)."""
    values, _ = design.rows(0, design.n, FIXED)
    return {name: column.reshape(-1, design.source.width) for name, column in values.items()}


# ---------------------------------------------------------------- a row depends on its number


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(data=st.data())
def test_any_slice_equals_the_whole(kind, data):
    design, (values, valid) = whole(kind, data.draw(st.sampled_from([1, 7, 64, 101])))
    start = data.draw(st.integers(0, design.n))
    stop = data.draw(st.integers(start, design.n))
    part = {name: column[start:stop] for name, column in values.items()}
    assert same(design.rows(start, stop, FIXED), (part, valid[start:stop]))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(n=st.integers(1, 60), more=st.integers(0, 60), seed=st.integers(0, 2**70))
def test_the_first_rows_of_a_longer_design_are_the_shorter_one(kind, n, more, seed):
    short, long = make(kind, n, seed), make(kind, n + more, seed)
    assert short.extendable
    assert short.describe() == long.describe()
    assert same(short.rows(0, short.n, FIXED), long.rows(0, short.n, FIXED))


@pytest.mark.parametrize("kind", KINDS)
def test_seeds_differ_and_zero_is_one(kind):
    zero, one = make(kind, 20, 0), make(kind, 20, 1)
    assert zero.describe() != one.describe()
    assert any((zero.rows(0, zero.n, FIXED)[0][k] != one.rows(0, one.n, FIXED)[0][k]).any()
               for k in zero.names)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_description_in_json_brings_the_source_back(kind):
    design = make(kind, 10)
    assert restored(json.loads(json.dumps(design.describe()))) == design.source


def test_a_description_tells_what_decides_the_rows():
    space = wide()
    told = [
        space.saltelli(4).describe(),
        space.saltelli(4, second_order=True).describe(),
        space.saltelli(4, groups=GROUPS).describe(),
        space.saltelli(4, groups={**GROUPS, "salts": ["bath.Na", "nka.j"]}).describe(),
        space.morris(4).describe(),
        space.morris(4, levels=8).describe(),
        space.morris(4, groups=GROUPS).describe(),
    ]
    assert all(one != other for k, one in enumerate(told) for other in told[:k])
    turned = {name: names[::-1] for name, names in reversed(GROUPS.items())}
    assert space.saltelli(4, groups=turned).describe() == told[2]


@pytest.mark.parametrize("kind", KINDS)
def test_rules_hold_row_by_row(kind):
    design, (values, valid) = whole(kind, 101)
    np.testing.assert_array_equal(values["bath.Cl"], values["bath.Na"] + values["bath.K"] - 1.5)
    allowed = (values["bath.K"] > 3.0) & (values["nka.j"] >= values["leak_Na.g"])
    np.testing.assert_array_equal(valid, allowed)
    assert 0 < valid.sum() < design.n


@pytest.mark.parametrize("kind", [*KINDS, "random"])
def test_rows_may_be_told_by_integers_of_numpy(kind):
    design = wide().random(400) if kind == "random" else make(kind, 100)
    start, stop = np.array([300, 350])
    assert same(design.rows(start, stop, FIXED), design.rows(300, 350, FIXED))


def test_a_block_may_be_wider_than_a_stretch_of_rows():
    space = Space({f"p{i}": Uniform(0.0, 1.0) for i in range(70)})
    for design in (space.saltelli(3, 1), space.morris(3, 1)):
        parts = [design.rows(k, k + 1)[0]["p69"] for k in range(design.n)]
        np.testing.assert_array_equal(np.concatenate(parts), design.rows(0, design.n)[0]["p69"])


def test_the_streams_are_pinned():
    box = Space({"a": Uniform(0.0, 1.0), "b": Uniform(0.0, 1.0)})
    found = [np.stack(list(d.rows(0, 4)[0].values())) for d in (box.saltelli(9), box.morris(9))]
    assert found[0].tolist() == SALTELLI
    assert found[1].tolist() == MORRIS


# ---------------------------------------------------------------- Saltelli


@pytest.mark.parametrize("second", [False, True])
def test_a_block_goes_from_one_point_to_the_other(second):
    design = wide().saltelli(64, 3, second_order=second, groups=GROUPS)
    assert design.source.width == (12 if second else 7) and design.n == 64 * design.source.width
    labels = [group.name for group in design.source.groups]
    assert labels == ["salts", "leaks", "nka.j", "cytosol.z_X", "kcc2.g"]
    blocks = blocks_of(design)
    for g, group in enumerate(design.source.groups):
        for name, block in blocks.items():
            if name in design.rules.derived:
                continue
            moves = name in group.parameters
            a, b = block[:, 0], block[:, -1]
            np.testing.assert_array_equal(block[:, 1 + g], b if moves else a)
            if second:
                np.testing.assert_array_equal(block[:, 1 + len(labels) + g], a if moves else b)


def test_both_points_are_halves_of_one_sobol_point():
    names = list("abcd")
    box = Space({name: Uniform(0.0, 1.0) for name in names})
    double = Space({name: Uniform(0.0, 1.0) for name in [*names, *"efgh"]})
    blocks, points = blocks_of(box.saltelli(128, 4)), double.sobol(128, 4).rows(0, 128)[0]
    for name, other in zip(names, "efgh", strict=True):
        np.testing.assert_array_equal(blocks[name][:, 0], points[name])
        np.testing.assert_array_equal(blocks[name][:, -1], points[other])


def test_the_representation_tells_blocks():
    box = Space({f"p{i}": Uniform(0.0, 1.0) for i in range(10)})
    names = ", ".join(f"p{i}" for i in range(10))
    design = box.saltelli(16384, 1)
    assert repr(design) == f"<saltelli design of 196608 rows (16384 blocks of 12), seed 1: {names}>"


# ---------------------------------------------------------------- Morris


@pytest.mark.parametrize("levels", [2, 4, 10])
def test_every_group_moves_once_by_half_of_the_levels(levels):
    axes = {"a": Uniform(0.0, 1.0), "b": Uniform(0.0, 1.0), ("c", "d"): Uniform(0.0, 1.0)}
    axes |= {"e": Uniform(0.0, 1.0)}
    design = Space(axes).morris(500, 2, levels=levels, groups={"pair": ["e", "a"]})
    blocks = blocks_of(design)
    jump = levels / (2 * (levels - 1))
    np.testing.assert_allclose(design.source.steps, jump)
    moved = {name: np.diff(block, axis=1) for name, block in blocks.items()}
    for name, steps in moved.items():
        assert (np.count_nonzero(steps, axis=1) == 1).all()
        np.testing.assert_allclose(np.abs(steps).sum(axis=1), jump)
        assert set(np.round(blocks[name].ravel() * (levels - 1), 9)) == set(range(levels))
    np.testing.assert_array_equal(moved["a"] != 0, moved["e"] != 0)
    np.testing.assert_array_equal(moved["c"], moved["d"])
    taken = sum((moved[name] != 0).astype(int) for name in "abc")
    np.testing.assert_array_equal(taken, 1)


def test_levels_orders_and_directions_are_evenly_drawn():
    source = Space({name: Uniform(0.0, 1.0) for name in "abc"}).morris(6000, 3, levels=6).source
    level, order = source.moves(0, 6000)

    def chance(values, kinds):
        counts = np.bincount(values, minlength=kinds)
        return chi2.sf(np.sum((counts - 6000 / kinds) ** 2) / (6000 / kinds), kinds - 1)

    assert min(chance(column, 6) for column in level.T) > 1e-3
    assert chance(level[:, 0] * 6 + level[:, 1], 36) > 1e-3
    _, permutation = np.unique(order @ [9, 3, 1], return_inverse=True)
    assert chance(permutation, 6) > 1e-3


def test_axes_without_bounds_take_the_middles_of_equal_shares():
    axes = {"u": LogUniform(1.0, 16.0), "n": Normal(0.0, 1.0), "c": Choice([3.0, 1.0])}
    design = Space(axes).morris(100, 1)
    np.testing.assert_allclose(design.source.steps, [2 / 3, 0.5, 0.5])
    values, _ = design.rows(0, design.n)
    np.testing.assert_allclose(sorted(set(values["n"])), [-1.15034938, -0.31863936, 0.31863936,
                                                          1.15034938])  # fmt: skip
    np.testing.assert_allclose(sorted(set(np.round(values["u"], 9))), 16 ** (np.arange(4) / 3))
    blocks = values["c"].reshape(-1, 4)
    assert (blocks.min(axis=1) == 1.0).all() and (blocks.max(axis=1) == 3.0).all()
    mixed = Space(axes).morris(100, 1, groups={"both": ["n", "u"]})
    np.testing.assert_allclose(mixed.source.steps, [0.5, 0.5])


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [
        (["bath.K"], TypeError, "groups must be a mapping from name to parameters"),
        ({3: ["bath.K"]}, TypeError, "the name of a group must be a text, but got 3"),
        ({"g": []}, ValueError, "group 'g' must be a list of parameters, but got []"),
        ({"g": "bath.K"}, ValueError, "group 'g' must be a list of parameters, but got 'bath.K'"),
        ({"g": ["bath.Ka"]}, KeyError, "unknown parameter in group 'g': 'bath.Ka'; did you mean"),
        ({"g": ["bath.Cl"]}, KeyError, "unknown parameter in group 'g': 'bath.Cl'"),
        (
            {"g": ["bath.K"], "h": ["nka.j", "bath.K"]},
            ValueError,
            "'bath.K' stands twice in groups 'g' and 'h'; keep one of them",
        ),
        ({"g": ["bath.K", "bath.K"]}, ValueError, "'bath.K' stands twice in groups 'g'; keep one"),
        (
            {"g": ["leak_Cl.g", "bath.K"]},
            ValueError,
            "group 'g' has 'leak_Cl.g' without 'leak_Na.g', but they are one linked axis; name",
        ),
        (
            {"nka.j": ["bath.K", "bath.Na"]},
            ValueError,
            "'nka.j' is a group and also an axis that stands for itself; choose another name",
        ),
    ],
)
def test_bad_groups(groups, error, words):
    for method in (wide().saltelli, wide().morris):
        with pytest.raises(error) as caught:
            method(8, groups=groups)
        assert words in str(caught.value)


def test_bad_numbers():
    space = wide()
    with pytest.raises(ValueError, match="levels must be an even number, but got 5"):
        space.morris(8, levels=5)
    with pytest.raises(TypeError, match="levels must be a whole number, 2 or more"):
        space.morris(8, levels=4.0)
    with pytest.raises(ValueError, match=r"'kcc2.g' has 4 values, which .* take levels=4"):
        space.morris(8, levels=6)
    with pytest.raises(ValueError, match="n must be a whole number, 1 or more"):
        space.saltelli(0)
    with pytest.raises(
        ValueError, match=r"up to 10600 axes and 2\^31 blocks, not 6 and 2147483649"
    ):
        space.saltelli(2**31 + 1)
    with pytest.raises(ValueError, match="seed must be a whole number, 0 or more"):
        space.saltelli(8, seed=-1)
