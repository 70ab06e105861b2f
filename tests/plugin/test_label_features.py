"""Numbers in a layer's features: one row a label, and nobody else's columns touched."""

import numpy as np
import pandas as pd
import pytest
from napari.layers import Labels

from napari_vbmd.grid import Grid
from napari_vbmd.measurement.compartments import NUMBERS, Compartments
from napari_vbmd.measurement.parts import measure_labels
from napari_vbmd.plugin import label_features
from napari_vbmd.scan import Mask, Scan

GRID = Grid((3, 4, 4), (0.5, 0.2, 0.2))
DENSITY = "Tt.vBMD (mg HA/cm3)"


@pytest.fixture
def layer() -> Labels:
    voxels = np.zeros(GRID.shape, np.uint8)
    voxels[0] = 5
    voxels[1] = 2
    return Labels(voxels)


@pytest.fixture
def labels(layer):
    values = np.arange(48, dtype=np.int16).reshape(GRID.shape)
    return measure_labels(Scan(values, "density", GRID), Mask(layer.data, GRID))


def test_each_label_has_a_row_with_units_in_the_columns_names(layer, labels):
    label_features.put(layer, labels, {})
    table = layer.features
    assert table["index"].tolist() == [2, 5]
    assert table[DENSITY].tolist() == [labels[n].tt_vbmd_mg_cm3 for n in (2, 5)]
    assert table["Volume (mm3)"].tolist() == pytest.approx([0.32, 0.32])
    assert table["Voxels"].tolist() == [16, 16]
    status = layer.get_status((0, 0, 0), world=True)["value"]
    assert f"{DENSITY}: {labels[5].tt_vbmd_mg_cm3:g}" in status


def test_compartments_stand_beside_them_and_what_is_missing_is_nan(layer, labels):
    found = Compartments(**{NUMBERS[0]: 90.0}, missing=dict.fromkeys(NUMBERS[1:], "why"))
    label_features.put(layer, labels, {5: found})
    assert layer.features["Tb.vBMD (mg HA/cm3)"][1] == 90
    assert np.isnan(layer.features["Tb.vBMD (mg HA/cm3)"][0])
    assert layer.features["Ct.Th (mm)"].isna().all()


def test_columns_of_others_stay(layer, labels):
    layer.features = pd.DataFrame({"index": [2, 7], "name": ["MC2", "MC3"]})
    label_features.put(layer, labels, {})
    assert layer.features.set_index("index")["name"].dropna().to_dict() == {2: "MC2", 7: "MC3"}
    label_features.take_away(layer)
    assert layer.features.to_dict("list") == {"index": [2, 7], "name": ["MC2", "MC3"]}


def test_taken_away_leaves_nothing(layer, labels):
    label_features.put(layer, labels, {})
    label_features.take_away(layer)
    assert layer.features.empty
