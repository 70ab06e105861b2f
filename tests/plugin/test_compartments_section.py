"""The section Compartments: the core's numbers, out of sight when they are of another mask."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.measurement.compartments import GIVEN, measure_compartments
from napari_vbmd.measurement.live import LiveMeasurement
from napari_vbmd.plugin import compartments_section
from napari_vbmd.plugin.compartments_section import CompartmentsSection
from napari_vbmd.plugin.exports import Measured
from napari_vbmd.plugin.layers import add_mask, is_preview, mask_of, scan_of
from napari_vbmd.plugin.parts import RunBar
from napari_vbmd.scan import Mask


@pytest.fixture
def model(qapp, scan_layer, mask_layer, tube):
    """Both tubes: label 1 and label 2. No window is needed."""
    mask_layer.data[tube.small != 0] = 2
    model = ViewerModel()
    model.add_layer(scan_layer)
    model.add_layer(mask_layer)
    return model


@pytest.fixture
def bar(qtbot):
    bar = RunBar("Measure", "Measure")
    qtbot.addWidget(bar)
    return bar


@pytest.fixture
def section(model, bar, qtbot):
    section = CompartmentsSection(model, bar)
    qtbot.addWidget(section)
    return section


@pytest.fixture
def measured(model) -> Measured:
    scan, mask = scan_of(model.layers[0]), mask_of(model.layers[1])
    sums = LiveMeasurement(scan, mask.voxels, mask.grid).sums
    return Measured(measure_against(scan, mask), scan, sums, mask, None)


@pytest.fixture
def split(section, bar, measured, qtbot):
    """The section after its button was pressed."""

    def press() -> None:
        section.button.click()
        qtbot.waitUntil(lambda: not bar.running, timeout=30_000)

    section.offer(measured)
    press()
    return press


def cells(section) -> dict[str, str]:
    table = section.table
    return {table.item(i, 0).text(): table.item(i, 1).text() for i in range(table.rowCount())}


def test_it_is_folded_away_and_says_what_it_needs(section):
    assert not section.isExpanded()
    assert not section.button.isEnabled()
    assert section.button.toolTip() == "Measure the mask first"
    assert section.shown == {}


def test_the_numbers_are_the_core_s_for_the_label_selected(split, section, measured):
    expected = {n: measure_compartments(measured.scan, measured.mask, n) for n in (1, 2)}
    assert section.shown == expected
    assert section.heading.text() == "Label 1"
    assert cells(section)["Ct.vBMD"] == f"{expected[1].ct_vbmd_mg_cm3:.1f}"
    section.show_label(2)
    assert section.heading.text() == "Label 2"
    assert cells(section)["Ct.Th"] == f"{expected[2].ct_th_mm:.2f}"
    assert "dual threshold after Buie" in section.method.text()
    assert "do not compare across scanners" in section.warnings.text()


def test_numbers_of_an_edited_mask_go_and_come_back_with_it(split, section):
    section.show_split.setChecked(True)
    section.hold(True)
    assert section.shown == {}
    assert section.table.isHidden()
    assert section.stale.text() == "⚠ The mask was changed since: measure again."
    assert not section.button.isEnabled()
    assert not section._layer.layer.visible
    section.hold(False)
    assert list(section.shown) == [1, 2]
    assert section.stale.isHidden()
    assert section._layer.layer.visible


def test_the_split_is_a_layer_to_look_at(split, section, model, measured):
    chosen = model.layers.selection.active
    section.show_split.setChecked(True)
    layer = section._layer.layer
    assert layer.name == "mask split"
    assert is_preview(layer)
    assert not layer.editable
    assert model.layers.selection.active is chosen
    assert np.count_nonzero(layer.data) == np.count_nonzero(measured.mask.voxels)
    section.offer(None)  # another mask was chosen
    assert layer not in model.layers


def test_the_layer_is_of_the_last_split(split, section, model, measured):
    section.show_split.click()
    before = model.layers[-1]
    voxels = np.zeros_like(measured.mask.voxels)
    box = np.argwhere(measured.mask.voxels == 1).mean(axis=0).astype(int)
    voxels[tuple(slice(at - 2, at + 3) for at in box)] = 1
    given = add_mask(model, Mask(voxels, measured.mask.grid), "trabecular")
    section.trabecular.pick(given)
    split()
    assert before not in model.layers
    [shown] = [layer for layer in model.layers if is_preview(layer)]
    assert np.count_nonzero(np.asarray(shown.data) == 2) == np.count_nonzero(voxels)


def test_a_given_mask_splits_and_numbers_of_another_one_are_not_shown(
    split, section, model, measured, tube, qtbot
):
    inner = np.zeros_like(tube.mask)
    inner[:, 20:44, 20:44] = 1
    layer = add_mask(model, Mask(inner, tube.grid), "inner")
    section.trabecular.pick(layer)
    assert section.shown == {}
    assert "another one now" in section.stale.text()
    split()
    given = Mask(inner, tube.grid)
    assert section.shown[1] == measure_compartments(measured.scan, measured.mask, 1, given)
    assert section.shown[1].method == GIVEN
    assert "All: no voxel of the trabecular mask lies within the bone." in _missing(section, 2)
    layer.data[:, 20] = 0
    layer.refresh()
    qtbot.waitUntil(lambda: section.shown == {})


def _missing(section, label: int) -> str:
    section.show_label(label)
    return section.missing.text()


def test_what_was_split_of_another_mask_is_dropped(
    section, bar, measured, monkeypatch, gate, entered, qtbot
):
    held = gate.around(compartments_section.split_labels)
    monkeypatch.setattr(compartments_section, "split_labels", held)
    section.offer(measured)
    section.button.click()
    entered()
    section.offer(None)
    gate.opened.set()
    qtbot.waitUntil(lambda: not bar.running, timeout=30_000)
    assert gate.outcome == "returned"
    assert section.shown == {}
    assert section.table.isHidden()
