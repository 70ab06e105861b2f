"""The whole of a comparison: what was used, every number, and what to doubt."""

import json
import math
import warnings

import numpy as np
import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.measurement.agreement import agree
from napari_vbmd.measurement.bland_altman import bland_altman
from napari_vbmd.measurement.correlation import icc_agreement, pearson, spearman
from napari_vbmd.measurement.regression import deming, least_squares


def numbers(content):
    """Every leaf of a JSON object."""
    if isinstance(content, dict):
        for value in content.values():
            yield from numbers(value)
    elif isinstance(content, list):
        for value in content:
            yield from numbers(value)
    else:
        yield content


def estimates(content):
    """Every estimate of a JSON object."""
    if isinstance(content, dict):
        if "ci95" in content:
            yield content
        for value in content.values():
            yield from estimates(value)


def test_an_agreement_holds_what_each_function_gives(study):
    found = agree(*study)
    assert found.n == 30
    assert found.bland_altman == bland_altman(*study)
    assert found.least_squares == least_squares(*study)
    assert found.deming == deming(*study)
    assert found.pearson == pearson(*study)
    assert found.spearman == spearman(*study)
    assert found.icc == icc_agreement(np.column_stack(study))
    assert found.ours_mean.value == pytest.approx(study[0].mean())
    assert found.reference_sd.value == pytest.approx(study[1].std(ddof=1))


def test_rows_without_two_numbers_change_nothing_and_are_listed(study):
    ours, reference = study
    found = agree([*ours, None, 1.0, math.inf], [*reference, 1.0, math.nan, 2.0])
    assert found.n == 30
    assert found.icc == agree(*study).icc
    assert [one.row for one in found.left_out] == [30, 31, 32]
    content = found.to_dict()
    assert content["left_out"][1] == {"row": 31, "reason": "the reference is missing"}


AWKWARD = {
    "nothing": ([], []),
    "all missing": ([None, math.nan], [1, 2]),
    "one pair": ([1], [2]),
    "two pairs": ([1, 2], [2, 4]),
    "both constant": ([1, 1, 1, 1], [2, 2, 2, 2]),
    "one constant": ([1, 2, 3, 4], [5, 5, 5, 5]),
    "the same": ([1, 2, 3, 4], [1, 2, 3, 4]),
    "shifted": ([1.1, 2.2, 3.3, 4.5], [6.1, 7.2, 8.3, 9.5]),
    "opposite": ([1, 2, 3, 4], [4, 3, 2, 1]),
    "unrelated": ([1, 1, 2, 2], [1, 2, 1, 2]),
    "zeros": ([0, 0, 0, 0], [0, 0, 0, 0]),
    "huge": ([1e30, -1e30, 1e29, 5], [-1e30, 1e30, 1e28, 7]),
    "tiny": ([1e-29, 2e-29, 4e-29, 3e-29], [1e-29, 3e-29, 2e-29, 5e-29]),
    "not finite": ([math.inf, 1, 2, 3, 4], [1, 1, 3, -math.inf, 2]),
    "an outlier": ([1, 2, 3, 1e12], [1, 2, 4, 3]),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_values_give_a_number_or_a_sentence_and_never_nan(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        content = agree(*AWKWARD[name]).to_dict()
    json.dumps(content, allow_nan=False)
    found = list(estimates(content))
    assert len(found) == 16
    for one in found:
        complete = one["value"] is not None and one["ci95"] is not None
        assert complete is (one["missing"] is None)
        if one["ci95"] is not None:
            assert one["ci95"][0] <= one["value"] <= one["ci95"][1]


def test_names_of_the_methods_stand_beside_the_numbers(study):
    content = agree(*study).to_dict()
    assert content["icc"]["model"].startswith("ICC(2,1)")
    assert content["least_squares"]["method"] == "ordinary least squares"
    assert content["deming"]["method"].startswith("Deming")
    assert not any(isinstance(value, float) and math.isnan(value) for value in numbers(content))


def test_differences_that_grow_with_the_values_are_a_warning(study):
    _, reference = study
    noise = np.random.default_rng(0).normal(0, 2, 30)
    [warning] = agree(0.9 * reference + noise, reference).warnings
    assert "changes with the size" in warning
    assert agree(reference - 14 + noise, reference).warnings == []


def test_an_outlier_is_a_warning(study):
    ours, reference = study
    ours = ours.copy()
    ours[np.argsort(reference)[15]] += 80
    assert any("do not look normal" in warning for warning in agree(ours, reference).warnings)


def test_differences_in_the_middle_of_chance_are_rarely_a_warning():
    rng = np.random.default_rng(0)
    warned = sum(
        bool(agree(true + rng.normal(0, 5, 20), true + rng.normal(0, 5, 20)).warnings)
        for true in rng.normal(280, 40, (300, 20))
    )
    assert warned < 15  # of 300; about 1 % for each of two reasons


def test_columns_of_different_length_are_refused():
    with pytest.raises(ParameterError, match="expected"):
        agree([1, 2], [1])
