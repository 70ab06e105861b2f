"""The rows of the dock Measure: of every label, with the layer, and never of another mask."""

import io

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication

from napari_vbmd.measurement.live import LiveMeasurement
from napari_vbmd.measurement.parts import measure_labels
from napari_vbmd.plugin.layers import mask_of, scan_of
from napari_vbmd.plugin.part_rows import PartRows

DENSITY = "Tt.vBMD (mg HA/cm3)"


@pytest.fixture
def model(qapp, scan_layer, mask_layer, tube):
    """Two bones: label 1 in all slices, label 2 in the last six. No window is needed."""
    mask_layer.data[18:][tube.small[18:] != 0] = 2
    model = ViewerModel()
    model.add_layer(scan_layer)
    model.add_layer(mask_layer)
    return model


@pytest.fixture
def rows(model, qtbot):
    image, mask = model.layers
    rows = PartRows(model)
    qtbot.addWidget(rows)
    rows.follow(image, mask)
    show(rows, model)
    return rows


def show(rows, model) -> None:
    image, mask = model.layers
    scan = scan_of(image)
    rows.show_parts(scan, LiveMeasurement(scan, mask.data, mask_of(mask).grid).sums)


def cells(rows, column: int) -> list[str]:
    return [rows.table.item(i, column).text() for i in range(rows.table.rowCount())]


def test_each_label_has_a_row_of_the_core_s_numbers(rows, model):
    image, mask = model.layers
    labels = measure_labels(scan_of(image), mask_of(mask))
    assert not rows.isHidden()
    assert cells(rows, 0) == ["Label 1", "Label 2"]
    assert cells(rows, 1) == [f"{m.tt_vbmd_mg_cm3:.1f}" for m in labels.values()]
    assert cells(rows, 2) == [f"{m.volume_mm3:.2f}" for m in labels.values()]
    assert mask.features["index"].tolist() == [1, 2]
    assert mask.features[DENSITY].tolist() == [m.tt_vbmd_mg_cm3 for m in labels.values()]
    assert "slices 18 to 23" in rows.table.item(1, 0).toolTip()


def test_one_label_is_one_row_of_features_and_nothing_more_to_see(rows, model, tube):
    mask = model.layers[1]
    mask.data[mask.data == 2] = 0
    show(rows, model)
    assert rows.table.isHidden()
    assert mask.features[DENSITY].tolist() == [pytest.approx(tube.mean)]


def test_a_chosen_row_selects_its_label_and_shows_it(rows, model):
    model.dims.set_current_step(0, 3)
    rows.table.selectRow(1)
    assert model.layers[1].selected_label == 2
    assert model.dims.current_step[0] == 21
    model.dims.set_current_step(0, 19)
    rows.table.selectRow(0)
    assert model.layers[1].selected_label == 1
    assert model.dims.current_step[0] == 19  # it is in view


def test_a_label_selected_in_the_layer_selects_its_row_and_moves_nothing(rows, model):
    before = model.dims.current_step
    model.layers[1].selected_label = 2
    assert rows.table.selected.label == 2
    show(rows, model)
    assert rows.table.selected.label == 2
    assert model.dims.current_step == before
    model.layers[1].selected_label = 7
    assert rows.table.selected is None


def test_head_and_shaft_are_rows_of_each_label(rows, model):
    rows.changed.connect(lambda: show(rows, model))
    rows.regions.wanted.setChecked(True)
    rows.regions.length.setValue(1)
    assert cells(rows, 0) == [
        "Label 1",
        "    head",
        "    shaft",
        "Label 2",
        "    head",
        "    shaft",
    ]
    assert cells(rows, 1)[5] == "–"
    assert "Label 2, shaft: the mask is 0.49 mm long from the tip" in rows.missing.text()
    rows.table.selectRow(2)
    assert rows.table.selected.name == "shaft"
    show(rows, model)
    assert rows.table.selected.name == "shaft"
    rows.regions.wanted.setChecked(False)
    assert rows.missing.isHidden()
    assert len(cells(rows, 0)) == 2


def test_what_is_left_keeps_nothing(rows, model):
    rows.leave()
    assert rows.isHidden()
    assert model.layers[1].features.empty
    model.layers[1].selected_label = 2  # nobody listens


@pytest.fixture
def page(viewer, scan, mask, dock, tube, run):
    """The dock after measuring the same two bones."""
    mask.data[18:][tube.small[18:] != 0] = 2
    page = dock("Measure")
    run(page)
    return page


def test_rows_follow_edits_and_exports_are_of_what_was_measured(page, mask, tube, qtbot, tmp_path):
    measured = mask.features[DENSITY].tolist()
    page.exports.copy()
    page.exports.save_csv(str(tmp_path / "out.csv"))
    copied = pd.read_csv(io.StringIO(QApplication.clipboard().text().split("\n\n")[1]), sep="\t")
    saved = pd.read_csv(tmp_path / "out.csv")
    for table in (copied, saved[saved["slice"] == "all"]):
        assert table["label"].fillna(0).tolist() == [0, 1, 2]
        assert table["tt_vbmd_mg_cm3"][1:].tolist() == measured
    page.compartments.button.click()
    qtbot.waitUntil(lambda: not page.run_bar.running, timeout=30_000)
    split = page.exports._as(lambda *content: content[-1])
    assert [bone.compartments for bone in split] == list(page.compartments.shown.values())
    assert mask.features["Tb.vBMD (mg HA/cm3)"][0] == split[0].compartments.tb_vbmd_mg_cm3
    mask.data[20:][mask.data[20:] == 2] = 0
    mask.data[5, 30:34, 30:34] = 3
    mask.refresh()
    qtbot.waitUntil(lambda: not (page._live._timer.isActive() or page._later.isActive()))
    assert cells(page.parts, 0) == ["Label 1", "Label 2", "Label 3"]
    assert page.compartments.shown == {}
    assert "Tb.vBMD (mg HA/cm3)" not in mask.features
    inside = tube.density[18:20][tube.small[18:20] != 0]
    assert cells(page.parts, 1)[1] == f"{inside.mean():.1f}"
    assert mask.features["Voxels"].tolist() == [np.sum(mask.data == n) for n in (1, 2, 3)]
    mask.data = np.zeros((4, 5, 6), np.uint8)
    assert page.parts.isHidden()
    assert mask.features.empty


def test_no_number_stays_beside_another_place_of_the_scan(page, scan, mask, close_dock):
    scan.translate = (1, 0, 0)
    assert page.parts.isHidden()
    assert mask.features.empty
    close_dock(page)  # with nothing followed any more
