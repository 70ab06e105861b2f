"""Rows without two numbers are left out, and say why."""

import math

import numpy as np
import pandas as pd
import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.measurement.pairs import LeftOut, as_numbers, pair_up


def test_pairs_keep_their_rows():
    pairs = pair_up([1, None, 3, 4], [5, 6, math.nan, 8])
    assert pairs.ours.tolist() == [1, 4]
    assert pairs.reference.tolist() == [5, 8]
    assert pairs.rows.tolist() == [0, 3]


def test_each_row_left_out_says_why():
    pairs = pair_up([None, math.inf, 1, None, 2e30, 1e-40], [1, 1, -math.inf, math.nan, 1, 0])
    assert pairs.left_out == (
        LeftOut(0, "ours is missing"),
        LeftOut(1, "ours is not finite"),
        LeftOut(2, "the reference is not finite"),
        LeftOut(3, "ours is missing; the reference is missing"),
        LeftOut(4, "ours is beyond 1e+30"),
        LeftOut(5, "ours is nearer to 0 than 1e-30"),
    )


def test_columns_of_pandas_are_taken_too():
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [1, 2, 3]})
    assert pair_up(frame["a"], frame["b"]).rows.tolist() == [0, 2]


def test_columns_of_different_length_are_refused():
    with pytest.raises(ParameterError, match="ours: 2 values where 1 are expected"):
        pair_up([1, 2], [1])


def test_text_is_refused_with_its_row():
    with pytest.raises(ParameterError, match="values, row 1: 'x' is not a number"):
        as_numbers([1, "x"], "values", 2)
