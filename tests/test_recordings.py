"""Recorded data: targets, and tables of every kind that become targets, conditions and labels."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import jaxmembrane as jm
from jaxmembrane.naming import UnknownName
from jaxmembrane.recordings import read_recordings
from jaxmembrane.steady import shape_outputs
from jaxmembrane.target import Target, entries

NEURON = jm.zoo.neuron()
MITOCHONDRION = jm.zoo.neuron_mitochondrion()
NAN = np.nan


def targets(recorded):
    return {target.of: target for target in recorded.targets}


def read(tmp_path, text, name="cells.csv", **options):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_recordings(path, NEURON, **options)


# --- targets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [NEURON, MITOCHONDRION], ids=["neuron", "mitochondrion"])
def test_entries_are_the_places_of_labelled_outputs(cell):
    for of, (output, place) in entries(cell).items():
        count = sum(its == output for its, _ in entries(cell).values())
        flat = {output: [np.array([float(i)]) for i in range(count)]}
        found = shape_outputs(cell, flat, ())[output]
        entry = of.partition(".")[2]
        if entry:
            (found,) = (value for key, value in found.items() if ".".join(key) == entry)
        assert float(found) == place, of


def test_an_entry_is_named_as_the_cell_shows_its_dims():
    assert Target("V", [-70.0]).entry(NEURON) == ("V", 0)
    assert Target("c.Cl", [5.0]).entry(NEURON) == ("c", 2)
    assert Target("flux.nka", [5.0]).entry(NEURON) == ("flux", 3)
    assert Target("V.inner", [-150.0]).entry(MITOCHONDRION) == ("V", 1)
    species = MITOCHONDRION.species
    place = len(species) + species.index("K")
    assert Target("c.matrix.K", [90.0]).entry(MITOCHONDRION) == ("c", place)
    gaba = jm.Cell([*(jm.leak(s) for s in (jm.Na, jm.K)), jm.gaba_a(), jm.na_k_atpase()])
    assert Target("flux.gaba_a:Cl", [1.0]).entry(gaba)[0] == "flux"


@pytest.mark.parametrize(
    ("of", "cell", "error", "message"),
    [
        ("Vm", NEURON, UnknownName, "unknown output 'Vm'; did you mean V?"),
        ("Na", NEURON, UnknownName, "unknown output 'Na'; did you mean E.Na or c.Na?"),
        (
            "c.Nq",
            NEURON,
            UnknownName,
            "unknown entry of c: 'c.Nq'; did you mean c.Na or c.K or c.Cl?",
        ),
        ("c", NEURON, ValueError, "c needs a species: write c.Na, c.K or c.Cl"),
        ("V.inner", NEURON, UnknownName, "V is one number in this cell: write V, not V.inner"),
        ("gate", NEURON, ValueError, "output 'gate' needs a transporter with gates"),
        ("V", MITOCHONDRION, ValueError, "V needs a membrane: write V.plasma or V.inner"),
    ],
)
def test_a_wrong_entry_is_named_with_the_right_one(of, cell, error, message):
    with pytest.raises(error) as refused:
        Target(of, [1.0]).entry(cell)
    assert str(refused.value) == message


def test_a_long_choice_is_cut():
    with pytest.raises(ValueError, match=r"c needs a compartment and a species: write c\.cytosol"):
        Target("c", [1.0]).entry(MITOCHONDRION)


@pytest.mark.parametrize(
    ("of", "values", "sd", "error", "message"),
    [
        (3, [1.0], None, TypeError, "a target is an output's name, as 'V' or 'c.Na', not 3"),
        ("V", ["a"], None, TypeError, "values of V must be real numbers, with NaN where one is"),
        ("V", [True], None, TypeError, "values of V must be real numbers"),
        ("V", [1j], None, TypeError, "values of V must be real numbers"),
        ("V", [[1], [1, 2]], None, TypeError, "values of V must be real numbers"),
        ("V", -70.0, None, ValueError, r"values of V must be of shape \(cells,\), \(cells, cond"),
        ("V", np.ones((1, 1, 1, 1)), None, ValueError, r"not \(1, 1, 1, 1\)"),
        ("V", [NAN], None, ValueError, "values of V hold none that is not missing"),
        ("V", [-7e4], None, ValueError, "value of V at cell 0 is -70000 mV: it must be within 10"),
        ("E.Na", [[1], [2e3]], None, ValueError, "E.Na at cell 1, condition 0 is 2000 mV"),
        ("c.Na", [[[1, 0]]], None, ValueError, "c.Na at cell 0, condition 0, time 1 is 0 mM: it "),
        ("volume", [-1], None, ValueError, r"is -1 um\^3: it must be a finite number above 0"),
        ("input_resistance", [0], None, ValueError, "is 0 mV/fA: it must be a finite number above"),
        ("tau_m", [1, -1], None, ValueError, "the value of tau_m at cell 1 is -1 s"),
        ("flux.nka", [np.inf], None, ValueError, "is inf amol/um.2/s: it must be a finite number"),
        ("V", [1, 2], 0, ValueError, "the sd of V at cell 0 is 0 mV: it must be a finite number"),
        ("V", [1, 2], [1, -1], ValueError, "the sd of V at cell 1 is -1 mV"),
        ("V", [1, 2], [1, NAN], ValueError, "the sd of V at cell 1 is nan mV"),
        ("V", [1, 2], [1, 1, 1], ValueError, r"sd of V must be one number or broadcast .*\(3,\)"),
        ("V", [1, 2], "1", TypeError, "sd of V must be real numbers"),
    ],
)
def test_impossible_targets_are_refused(of, values, sd, error, message):
    with pytest.raises(error, match=message):
        Target(of, values, sd)


def test_a_target_keeps_its_numbers_and_not_the_array():
    given = np.array([[-70.0, NAN], [-0.07, -60.0]])
    target = Target("V", given, sd=[[1.0, NAN], [2.0, 3.0]])
    given[0, 0] = 0.0
    np.testing.assert_array_equal(target.values, [[-70.0, NAN], [-0.07, -60.0]])
    np.testing.assert_array_equal(target.sd, [[1.0, NAN], [2.0, 3.0]])
    assert Target("V", [-70], sd=2).sd == 2.0


# --- tables ----------------------------------------------------------------------------------

WIDE = """\
cell,bath.K (mM),V (mV),V sd (mV),c.Na (uM),family
a,3,-71,1,14000,Vip
a,8,-58,2,,Vip
b,3,-66,1.5,11000,Pvalb
"""


def check_wide(recorded):
    assert recorded.cells == ("a", "b")
    assert recorded.times is None
    assert recorded.problems == ()
    found = targets(recorded)
    assert list(found) == ["V", "c.Na"]
    np.testing.assert_array_equal(found["V"].values, [[-71, -58], [-66, NAN]])
    np.testing.assert_array_equal(found["V"].sd, [[1, 2], [1.5, NAN]])
    np.testing.assert_array_equal(found["c.Na"].values, [[14, NAN], [11, NAN]])
    assert found["c.Na"].sd is None
    # The missing condition of b repeats its first, so that it can be computed.
    np.testing.assert_array_equal(recorded.conditions["bath.K"], [[3, 8], [3, 3]])
    assert recorded.labels["family"].tolist() == ["Vip", "Pvalb"]
    assert list(recorded.labels) == ["family"]


def frame():
    return pd.DataFrame(
        {
            "cell": ["a", "a", "b"],
            "bath.K (mM)": [3, 8, 3],
            "V (mV)": [-71.0, -58.0, -66.0],
            "V sd (mV)": [1, 2, 1.5],
            "c.Na (uM)": [14000.0, None, 11000.0],
            "family": ["Vip", "Vip", "Pvalb"],
        }
    )


def test_csv_wide(tmp_path):
    check_wide(read(tmp_path, WIDE))


def test_csv_as_spreadsheets_write_it(tmp_path):
    lines = [f" {line.replace(',', ' , ')},,\r\n" for line in WIDE.splitlines()]
    headers = lines[0].rstrip(",\r\n ") + "\r\n"
    check_wide(read(tmp_path, "\ufeff" + headers + "".join(lines[1:]) + ",,,,,\r\n\r\n"))


def test_tsv(tmp_path):
    check_wide(read(tmp_path, WIDE.replace(",", "\t"), "cells.tsv"))


def test_csv_long(tmp_path):
    text = """\
cell,target,value,sd,unit,bath.K (mM),family
a,V,-0.071,0.001,V,3,Vip
a,c.Na,14,,mM,3,Vip
a,V,-58,2,mV,8,Vip
b,c.Na,11,,,3,Pvalb
b,V,-66,1.5,,3,Pvalb
"""
    check_wide(read(tmp_path, text))


def test_dataframe():
    check_wide(read_recordings(frame(), NEURON))


def test_dataframe_with_its_keys_as_index():
    check_wide(read_recordings(frame().set_index(["cell", "bath.K (mM)"]), NEURON))


def test_mapping_of_columns():
    check_wide(read_recordings(frame().to_dict("list"), NEURON))


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    frame().to_parquet(tmp_path / "cells.parquet")
    check_wide(read_recordings(tmp_path / "cells.parquet", NEURON))


def test_xarray():
    dims = ("cell", "condition")
    dataset = xr.Dataset(
        {
            "V": (dims, [[-71.0, -58.0], [-66.0, NAN]], {"units": "mV"}),
            "V sd": (dims, [[0.001, 0.002], [0.0015, NAN]], {"units": "V"}),
            "c": (("species", *dims), [[[14000.0, NAN], [11000.0, NAN]]], {"units": "uM"}),
        },
        coords={
            "cell": ["a", "b"],
            "species": ["Na"],
            "bath.K": ("condition", [3.0, 8.0], {"units": "mM"}),
            "family": ("cell", ["Vip", "Pvalb"]),
        },
    )
    check_wide(read_recordings(dataset, NEURON))


def test_a_sweep_reads_back_as_recordings():
    rows = {"V": ("sample", [-71.0, -66.0], {"units": "mV"}), "status": ("sample", [0, 0])}
    recorded = read_recordings(xr.Dataset(rows), NEURON)
    assert recorded.cells == ("1", "2")
    assert targets(recorded)["V"].values.tolist() == [-71, -66]
    assert set(recorded.labels) == {"sample", "status"}


def test_headers_of_others_are_mapped_with_their_units(tmp_path):
    text = """\
,cell_id,V_rest_mV,R_in_MOhm,tau_ms,volume,layer,age
0,m1,-56.2,238.7,17.5,large,2/3,21
1,m2,\N{MINUS SIGN}70.1,NA,9,small,5,
2,m3,-65 mV,0.3 GOhm,0.011 s,,5,30
"""
    columns = {
        "V_rest_mV": "V (mV)",
        "R_in_MOhm": "input_resistance (MOhm)",
        "tau_ms": "tau_m [ms]",
        "cell_id": "cell",
    }
    sd = {"V": "0.002 V", "input_resistance": "10 %", "tau_m": 0.001}
    labels = ["volume", "layer", "age"]
    recorded = read(tmp_path, text, columns=columns, sd=sd, labels=labels)
    assert recorded.problems == () and recorded.conditions == {}
    found = targets(recorded)
    np.testing.assert_allclose(found["V"].values, [-56.2, -70.1, -65])
    np.testing.assert_allclose(found["input_resistance"].values, [2.387e-4, NAN, 3e-4])
    np.testing.assert_allclose(found["tau_m"].values, [0.0175, 0.009, 0.011])
    np.testing.assert_allclose(found["V"].sd, [2.0, 2.0, 2.0])
    np.testing.assert_allclose(found["input_resistance"].sd, [2.387e-5, NAN, 3e-5])
    np.testing.assert_allclose(found["tau_m"].sd, [1e-3] * 3)
    assert recorded.labels["layer"].tolist() == ["2/3", "5", "5"]
    assert recorded.labels["volume"].tolist() == ["large", "small", ""]
    np.testing.assert_array_equal(recorded.labels["age"], [21, NAN, 30])


@pytest.mark.parametrize(
    ("header", "text", "value"),
    [
        ("V (V)", "-0.07", -70.0),
        ("V [uV]", "-70000", -70.0),
        ("V", "-70", -70.0),
        ("c.Na (M)", "0.014", 14.0),
        ("volume (pL)", "2", 2000.0),
        ("volume (µm³)", "1900", 1900.0),
        ("input_resistance (GOhm)", "1", 1e-3),
        ("input_resistance (MΩ)", "1", 1e-6),
        ("tau_m (ms)", "20", 0.02),
        ("slope_conductance (mS/cm2)", "0.1", 1.0),
        ("flux.nka (umol/m^2/s)", "1", 1.0),
    ],
)
def test_units_of_headers_are_converted(tmp_path, header, text, value):
    recorded = read(tmp_path, f"cell,{header}\na,{text}\n")
    np.testing.assert_allclose(recorded.targets[0].values, [value], rtol=1e-14)


@pytest.mark.parametrize("header", ["V sd (V)", "V_sd (V)", "V SD [V]"])
def test_errors_are_converted_as_their_values(tmp_path, header):
    recorded = read(tmp_path, f"cell,V (mV),{header}\na,-70,0.002\n")
    np.testing.assert_allclose(recorded.targets[0].sd, [2.0])


def test_errors_of_the_file_come_before_those_given(tmp_path):
    text = "cell,V (mV),V sd (mV)\na,-70,1\nb,-60,\n"
    recorded = read(tmp_path, text, sd={"V": "5 %"})
    assert recorded.targets[0].sd.tolist() == [1.0, 3.0]


def test_courses(tmp_path):
    text = """\
cell,time (min),bath.K (mM),volume (pL)
a,0,3,2
a,1,3,2.5
a,0,8,2.1
b,0,3,1.8
b,2,3,3
"""
    recorded = read(tmp_path, text)
    assert recorded.times == (0.0, 60.0, 120.0)
    expected = [
        [[2000, 2500, NAN], [2100, NAN, NAN]],
        [[1800, NAN, 3000], [NAN, NAN, NAN]],
    ]
    np.testing.assert_array_equal(recorded.targets[0].values, expected)
    np.testing.assert_array_equal(recorded.conditions["bath.K"], [[3, 8], [3, 3]])


def test_courses_of_a_dataset_have_an_axis_of_conditions():
    values = [[-70.0, -60.0], [-71.0, NAN]]
    dataset = xr.Dataset({"V": (("cell", "time"), values)}, {"time": [0.0, 5.0]})
    recorded = read_recordings(dataset, NEURON)
    assert recorded.cells == ("0", "1") and recorded.times == (0.0, 5.0)
    np.testing.assert_array_equal(recorded.targets[0].values, np.array(values)[:, None])


def test_repeats_are_told_apart_by_the_column_condition(tmp_path):
    text = "cell,condition,V (mV)\na,first,-70\na,second,-72\nb,first,-60\n"
    recorded = read(tmp_path, text)
    assert recorded.conditions == {} and recorded.problems == ()
    np.testing.assert_array_equal(recorded.targets[0].values, [[-70, -72], [-60, NAN]])


def test_rows_of_one_cell_and_condition_complete_each_other(tmp_path):
    recorded = read(tmp_path, "cell,V (mV),c.Na (mM)\na,-70,\na,,14\n")
    assert recorded.problems == ()
    assert {of: t.values.tolist() for of, t in targets(recorded).items()} == {
        "V": [-70.0],
        "c.Na": [14.0],
    }


def test_conditions_are_those_of_each_cell_in_its_order(tmp_path):
    text = "cell,bath.K,T,V\na,8,310,-58\na,3,310,-71\nb,5,300,-65\nb,3,300,-70\n"
    recorded = read(tmp_path, text)
    assert recorded.conditions["bath.K"].tolist() == [[8, 3], [5, 3]]
    assert recorded.conditions["T"].tolist() == [[310, 310], [300, 300]]
    assert recorded.targets[0].values.tolist() == [[-58, -71], [-65, -70]]


def test_labels_that_change_within_a_cell_are_no_labels(tmp_path):
    text = "cell,bath.K,V,rig,day\na,3,-71,1,mon\na,8,-58,1,tue\nb,3,-60,2,mon\n"
    assert {k: v.tolist() for k, v in read(tmp_path, text).labels.items()} == {"rig": [1, 2]}
    assert read(tmp_path, text, labels=[]).labels == {}


def test_the_lines_of_quoted_and_empty_rows_are_counted(tmp_path):
    text = 'cell,note,V\n\na,"two\nlines",-70\nb,x,no number\n'
    (problem,) = read(tmp_path, text).problems
    assert problem.startswith(f"{tmp_path / 'cells.csv'}:5: V: 'no number'")


def test_rows_in_memory_are_named_by_their_index():
    table = frame().iloc[1:].assign(**{"V (mV)": ["x", -66.0]})
    (problem,) = read_recordings(table, NEURON).problems
    assert problem.startswith("DataFrame, row 1: V (mV): 'x'")
    dims = ("cell", "condition")
    coords = {"cell": ["a"], "bath.K": ("condition", [3, 8])}
    dataset = xr.Dataset({"V": (dims, [[-70.0, 5e3]])}, coords)
    (problem,) = read_recordings(dataset, NEURON).problems
    assert problem.startswith("Dataset, cell a, condition 1: V is '5000.0'")


def test_a_summary_tells_what_was_read(tmp_path):
    text = WIDE + "b,8,-5000,1,,Pvalb\n"
    path = tmp_path / "cells.csv"
    assert str(read(tmp_path, text)) == (
        "recordings of 2 cells\n"
        "  V: 3 values in mV, with errors\n"
        "  c.Na: 2 values in mM, without errors\n"
        "  at bath.K 3 to 8\n"
        "  labels family\n"
        f"  1 problem, first {path}:5: V (mV) is '-5000': it must be within 1000 mV of zero: is "
        "its unit right?"
    )
    assert "at 2 times, to 60 s" in str(read(tmp_path, "cell,time,V\na,0,-70\na,60,-50\n"))
