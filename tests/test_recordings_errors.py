"""What is said of tables that cannot be read, and of rows that are left out."""

import pandas as pd
import pytest
import xarray as xr

import jaxmembrane as jm
from jaxmembrane.recordings import RecordingsError, read_recordings

NEURON = jm.zoo.neuron()
A_NUMBER = "does not begin with a number; write a number in mV or a text such as '1.5 mV'"
NO_VALUE = "no row has a usable value of V"

REFUSED = {
    "empty": ("", {}, ": it is empty: begin with the names of columns: cell,V (mV)"),
    "blank": ("\n,,\n", {}, ": it is empty: begin with the names of columns: cell,V (mV)"),
    "header alone": ("cell,V\n", {}, ": there are columns and no rows: give one at least"),
    "semicolons": (
        "cell;V (mV)\na;-70,5\n",
        {},
        ":1: columns are separated by ';': put ',' between columns and a point in numbers",
    ),
    "open quote": (
        'cell,V\na,-70\n"b,-71\nc,-72\n',
        {},
        ":3: this is no table: unexpected end of data",
    ),
    "no target": (
        "cell,family\na,Vip\n",
        {},
        ":1: no column is a target: name one as 'V (mV)' or 'c.Na (mM)', say which is one by "
        "columns={'V_rest': 'V (mV)'}, or give the columns target and value",
    ),
    "header twice": (
        "\ncell,V (mV),V (mV)\na,-70,-70\n",
        {},
        ":2: the columns 'V (mV)' and 'V (mV)' are both V: keep one",
    ),
    "target twice": (
        "cell,V (mV),V (V)\na,-70,-0.07\n",
        {},
        ":1: the columns 'V (mV)' and 'V (V)' are both V: keep one",
    ),
    "label twice": (
        "cell,V,rig,rig\na,-70,1,1\n",
        {},
        ":1: the columns 'rig' and 'rig' are both rig: keep one",
    ),
    "mapped onto another": (
        "id,cell,V\na,b,-70\n",
        {"columns": {"id": "cell"}},
        ":1: the columns 'id' and 'cell' are both cell: keep one",
    ),
    "wrong species": (
        "cell,c.Nq (mM)\na,14\n",
        {},
        ":1: unknown entry of c: 'c.Nq'; did you mean c.Na or c.K or c.Cl?",
    ),
    "no species": ("cell,c (mM)\na,14\n", {}, ":1: c needs a species: write c.Na, c.K or c.Cl"),
    "entry of one number": (
        "cell,V.membrane (mV)\na,-70\n",
        {},
        ":1: V is one number in this cell: write V, not V.membrane",
    ),
    "output that cannot be": (
        "cell,V,turgor (Pa)\na,-70,5\n",
        {},
        ":1: output 'turgor' needs a membrane with wall=True",
    ),
    "wrong parameter": (
        "cell,V,bath.k (mM)\na,-70,3\n",
        {},
        ":1: unknown parameter 'bath.k'; did you mean bath.K?",
    ),
    "unit of something else": (
        "cell,V (mM)\na,-70\n",
        {},
        ":1: column 'V (mM)': cannot convert 'mM' to 'mV': the first is [um^-3 amol] and the "
        "second [mV]; write it in mV or the like",
    ),
    "unknown unit": (
        "cell,tau_m (msec)\na,20\n",
        {},
        ":1: column 'tau_m (msec)': unknown unit 'msec' (did you mean 'ms'?); write it in s or "
        "the like",
    ),
    "unit of a condition": (
        "cell,V,bath.K (mV)\na,-70,3\n",
        {},
        ":1: column 'bath.K (mV)': cannot convert 'mV' to 'mM': the first is [mV] and the second "
        "[um^-3 amol]; write it in mM or the like",
    ),
    "unit of time": (
        "cell,V,time (mV)\na,-70,3\n",
        {},
        ":1: column 'time (mV)': cannot convert 'mV' to 's': the first is [mV] and the second "
        "[s]; write it in s or the like",
    ),
    "conditions of nobody": (
        "V,bath.K (mM)\n-70,3\n",
        {},
        ":1: a column cell is needed beside bath.K (mM): name the cell of each row, or say which "
        "column does by columns={'cell_id': 'cell'}",
    ),
    "values of nobody": (
        "target,value\nV,3\n",
        {},
        ":1: a column cell is needed beside value: name the cell of each row, or say which "
        "column does by columns={'cell_id': 'cell'}",
    ),
    "error of nothing": (
        "cell,V sd (mV),c.Na\na,1,14\n",
        {},
        ":1: there are errors of V and no values: add the column V",
    ),
    "error of anything": (
        "cell,V,sd\na,-70,1\n",
        {},
        ":1: a column sd must say of what: write for example V sd (mV)",
    ),
    "wide and long": (
        "cell,target,value,V (mV)\na,V,-70,-70\n",
        {},
        ":1: column 'V (mV)' does not fit a table with the columns target and value: give its "
        "values rows of their own",
    ),
    "wrong target in a row": (
        "cell,target,value\na,V,-70\na,Vm,-70\n",
        {},
        ":3: unknown output 'Vm'; did you mean V?",
    ),
    "wrong unit in a row": (
        "cell,target,value,unit\na,V,-70,mV\na,V,-70,mM\n",
        {},
        ":3: V: cannot convert 'mM' to 'mV': the first is [um^-3 amol] and the second [mV]; "
        "write it in mV or the like",
    ),
    "column that is not there": (
        "cell,V_rest_mV\na,-70\n",
        {"columns": {"Vrest_mV": "V (mV)"}},
        ":1: unknown column 'Vrest_mV'; did you mean V_rest_mV?",
    ),
    "column of no meaning": (
        "cell,V_rest\na,-70\n",
        {"columns": {"V_rest": "Vm (mV)"}},
        ":1: unknown meaning of column 'V_rest': 'Vm'; did you mean V?",
    ),
    "label that is not there": (
        "cell,V,family\na,-70,x\n",
        {"labels": ["famly"]},
        ":1: unknown column 'famly'; did you mean family?",
    ),
    "label that changes": (
        "cell,V,bath.K,family\na,-70,3,x\na,-60,8,y\n",
        {"labels": ["family"]},
        ":3: label family is 'y' here and 'x' in {path}:2: it must be constant in cell a",
    ),
    "error of a missing target": (
        "cell,V\na,-70\n",
        {"sd": {"c.Na": 1.0}},
        ":1: unknown target in sd: 'c.Na'; there are V",
    ),
    "error of zero": (
        "cell,V\na,-70\n",
        {"sd": {"V": 0}},
        ":1: sd of V is 0: it must be above zero, as 1.0 or '10 %'",
    ),
    "error in words": (
        "cell,V\na,-70\n",
        {"sd": {"V": "ten %"}},
        ":1: sd of V: 'ten' does not begin with a number; write a number",
    ),
    "error in another unit": (
        "cell,V\na,-70\n",
        {"sd": {"V": "2 mM"}},
        ":1: sd of V: '2 mM': cannot convert 'mM' to 'mV': the first is [um^-3 amol] and the "
        "second [mV]; write a number in mV or a text such as '1.5 mV'",
    ),
    "no value": ("cell,V (mV)\na,\nb,NA\n", {}, f": {NO_VALUE}"),
    "no good value": (
        "cell,V (mV)\na,x\nb,-1e6\n",
        {},
        f": {NO_VALUE}\n{{path}}:2: V (mV): 'x' {A_NUMBER}\n{{path}}:3: V (mV) is '-1e6': it must "
        "be within 1000 mV of zero: is its unit right?",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, case):
    text, options, message = REFUSED[case]
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(RecordingsError) as refused:
        read_recordings(path, NEURON, **options)
    assert str(refused.value) == str(path) + message.replace("{path}", str(path))


# Each has one good row, of cell g, and then the one that is left out.
LEFT_OUT = {
    "text": ("cell,V (mV)\ng,-60\na,text\n", f"V (mV): 'text' {A_NUMBER}"),
    "decimal comma": ('cell,V (mV)\ng,-60\na,"-70,5"\n', f"V (mV): '-70,5' {A_NUMBER}"),
    "infinite": ("cell,V (mV)\ng,-60\na,inf\n", f"V (mV): 'inf' {A_NUMBER}"),
    "unit in a field": (
        "cell,V (mV)\ng,-60\na,-70 mM\n",
        "V (mV): '-70 mM': cannot convert 'mM' to 'mV': the first is [um^-3 amol] and the second "
        "[mV]; write a number in mV or a text such as '1.5 mV'",
    ),
    "potential": (
        "cell,V (V)\ng,-0.06\na,-70\n",
        "V (V) is '-70': it must be within 1000 mV of zero: is its unit right?",
    ),
    "concentration": (
        "cell,c.Na (mM)\ng,14\na,-2\n",
        "c.Na (mM) is '-2': it must be a finite number above 0",
    ),
    "resistance": (
        "cell,input_resistance (MOhm)\ng,200\na,0\n",
        "input_resistance (MOhm) is '0': it must be a finite number above 0",
    ),
    "negative error": (
        "cell,V,V sd\ng,-60,1\na,-70,-1\n",
        "V sd is '-1': it must be above zero",
    ),
    "zero error": ("cell,V,V sd\ng,-60,1\na,-70,0\n", "V sd is '0': it must be above zero"),
    "missing error": (
        "cell,V,V sd\ng,-60,1\na,-70,\n",
        "V lacks the error that others have: write one, or give sd={'V': ...}",
    ),
    "cell": ("cell,V\ng,-60\n,-70\n", "cell is missing: name the cell"),
    "repeat": (
        "cell,V\ng,-60\ng,-70\n",
        "V of cell g under these conditions stands in {path}:2 already: keep one, or tell them "
        "apart by a column condition or time",
    ),
    "repeat of a condition and time": (
        "cell,V,bath.K,time\ng,-60,3,1\ng,-61,3.0,1e0\n",
        "V of cell g under these conditions stands in {path}:2 already: keep one, or tell them "
        "apart by a column condition or time",
    ),
    "too few fields": (
        "cell,V\ng,-60\na\n",
        "the number of fields is 1 and that of columns 2: write them all, and quote one that "
        "holds the separator",
    ),
    "too many fields": (
        "cell,V\ng,-60\na,-70,5\n",
        "the number of fields is 3 and that of columns 2: write them all, and quote one that "
        "holds the separator",
    ),
    "condition": (
        "cell,V,bath.K\ng,-60,3\na,-70,-3\n",
        "bath.K is '-3': it must be a finite number, zero or more",
    ),
    "missing condition": (
        "cell,V,bath.K (mM)\ng,-60,3\na,-70,NA\n",
        "bath.K (mM) is missing: it must be a finite number, zero or more",
    ),
    "time": (
        "cell,V,time (s)\ng,-60,3\na,-70,-1\n",
        "time (s) is '-1': it must be zero or more, in s",
    ),
    "missing time": (
        "cell,V,time (s)\ng,-60,3\na,-70,\n",
        "time (s) is missing: it must be zero or more, in s",
    ),
    "missing target": (
        "cell,target,value\ng,V,-60\na,,3\n",
        "target is missing: name an output, as V or c.Na",
    ),
    "text of a target": (
        "cell,target,value\ng,V,-60\na,V,x\n",
        f"value: 'x' {A_NUMBER}",
    ),
    "two faults": (
        "cell,V (mV),c.Na (mM)\ng,-60,14\na,x,-1\n",
        f"V (mV): 'x' {A_NUMBER}; c.Na (mM) is '-1': it must be a finite number above 0",
    ),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_a_row_that_cannot_be_used_is_named_and_the_rest_is_kept(tmp_path, case):
    text, problem = LEFT_OUT[case]
    path = tmp_path / "some.csv"
    path.write_text(text)
    recorded = read_recordings(path, NEURON)
    assert recorded.problems == (f"{path}:3: {problem.replace('{path}', str(path))}",)
    assert recorded.cells == ("g",)
    assert all(target.values.size == 1 for target in recorded.targets)


def test_a_share_of_nothing_is_no_error():
    table = {"cell": ["g", "a"], "V": [-60, 0]}
    recorded = read_recordings(table, NEURON, sd={"V": "10 %"})
    assert recorded.problems == ("table, row 1: V is 0, and 10 % of it is no error: write one",)


def test_cells_keep_their_numbers_where_rows_are_left_out():
    recorded = read_recordings({"V": [-60, "x", -70, None]}, NEURON)
    assert recorded.cells == ("1", "3")
    assert recorded.problems[1:] == ("table: cell 4 has no value",)


def test_a_target_without_values_is_named():
    recorded = read_recordings({"V": [-60.0], "c.Na": [None]}, NEURON)
    assert [target.of for target in recorded.targets] == ["V"]
    assert recorded.problems == ("table: c.Na has no usable value",)


def test_files_that_cannot_be_read_say_why(tmp_path):
    def message(name, content=None):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(RecordingsError) as refused:
            read_recordings(tmp_path / name, NEURON)
        return str(refused.value).removeprefix(str(tmp_path / name))

    assert message("none.csv") == ": it cannot be read (No such file or directory)"
    latin = "cell,note,volume\na,x,3\nb,µ,3\n".encode("latin-1")
    assert message("latin.csv", latin) == ":3: this is no UTF-8 text: save it as UTF-8"
    assert message("cells.xlsx", b"PK") == (
        ": recordings are read from files that end in .csv, .tsv or .parquet: save it as one of "
        "them, or open it and pass the xarray.Dataset or DataFrame"
    )
    assert message("commas.tsv", b"cell,V\na,-70\n").startswith(
        ":1: columns are separated by ',': put '\\t' between columns"
    )


def test_parquet_without_pyarrow_or_of_something_else_says_so(tmp_path, monkeypatch):
    def refuse(error):
        def read_parquet(path):
            raise error

        monkeypatch.setattr(pd, "read_parquet", read_parquet)
        with pytest.raises(RecordingsError) as refused:
            read_recordings(tmp_path / "cells.parquet", NEURON)
        return str(refused.value).removeprefix(str(tmp_path / "cells.parquet"))

    assert refuse(ImportError("pyarrow")) == (
        ": Parquet needs pyarrow: pip install 'jaxmembrane[parquet]', or save it as .csv"
    )
    assert refuse(ValueError("magic bytes")) == ": this is no Parquet: magic bytes"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "table: there are no columns: name them, as cell, V (mV)"),
        (pd.DataFrame(), "DataFrame: there are no columns: name them, as cell, V (mV)"),
        (pd.DataFrame({"V": []}), "DataFrame: there are columns and no rows: give one at least"),
        (
            {"cell": ["a"], "V": [1.0, 2.0]},
            "table: columns must be lists of one length, but have cell: 1, V: 2",
        ),
        ({"V": -70.0}, "table: columns must be lists of one length, but have V: one number"),
        (xr.Dataset(), "Dataset: it has no variables along a dim: give it the dim cell"),
        (
            xr.Dataset({"V": -70.0}),
            "Dataset: it has no variables along a dim: give it the dim cell",
        ),
        (
            xr.Dataset({"V": ("cell", [-70.0], {"units": "mM"})}),
            "Dataset: column 'V (mM)': cannot convert 'mM' to 'mV': the first is [um^-3 amol] and "
            "the second [mV]; write it in mV or the like",
        ),
        (
            pd.DataFrame([["a", -70, -71]], columns=["cell", "V", "V"]),
            "DataFrame: the columns 'V' and 'V' are both V: keep one",
        ),
        (
            pd.DataFrame({"V": [True]}),
            f"DataFrame: {NO_VALUE}\nDataFrame, row 0: V: 'True' {A_NUMBER}",
        ),
    ],
)
def test_tables_in_memory_that_cannot_be_used_are_refused(table, message):
    with pytest.raises(RecordingsError) as refused:
        read_recordings(table, NEURON)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (3, {}, "recordings are read from a path, an xarray.Dataset, .*, not from int"),
        ({"V": [-70]}, {"labels": "rig"}, r"labels must be a sequence of columns, .* not 'rig'"),
        ({"V": [-70]}, {"sd": 1.0}, "sd must be a mapping by name, not 1.0"),
        ({"V": [-70]}, {"columns": "V"}, "columns must be a mapping by name, not 'V'"),
        ({"V": [-70]}, {"sd": {"V": True}}, "sd of V: True is not a quantity; write a number"),
    ],
)
def test_what_is_no_table_and_no_option_is_a_type_error(source, options, message):
    with pytest.raises(TypeError, match=message):
        read_recordings(source, NEURON, **options)


def test_only_a_cell_tells_what_columns_mean():
    with pytest.raises(TypeError, match=r"read_recordings needs a jm\.Cell, not str"):
        read_recordings({"V": [-70]}, "neuron")
