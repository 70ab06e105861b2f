"""The dock Rate: blinded pairs, answered by key, on disk at once; nothing names a source."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QWidget

from napari_vbmd.io.files import write_mask
from napari_vbmd.morphology import dilate
from napari_vbmd.plugin import pair_loader, rating_dock
from napari_vbmd.plugin.layers import EXPERT, OURS, grid_of, show_window
from napari_vbmd.plugin.rating_panels import CHOICES, DIFFER, HIDING

# the two sources, in every file's name, too; nothing else in the window sounds like them
NETWORK, READER = "quokka", "wombat"
WAIT_MS = 20_000


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(rating_dock, "_SOONEST_S", 0.0)


@pytest.fixture
def table(tmp_path, tube):
    """A table of three pairs of one scan: the reader's mask is the bone, the network's larger."""
    grown = dilate(tube.mask, 0.1, tube.grid.spacing_mm, slicewise=True)
    path = tmp_path / "pairs.csv"
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["scan", "mask_1", "mask_2", "name_1", "name_2"])
        for i in range(3):
            names = f"{NETWORK}{i}.nii.gz", f"{READER}{i}.aim"
            for name, mask in zip(names, (grown, tube.mask), strict=True):
                write_mask(tmp_path / name, mask, tube.grid)
            rows.writerow([tube.path, *names, NETWORK, READER])
    return path


@pytest.fixture
def answers(table):
    """The rows of the answers' file."""

    def read():
        path = table.with_name("pairs_answers_Ann.csv")
        return list(csv.DictReader(open(path, newline=""))) if path.exists() else []

    return read


@pytest.fixture
def in_view(qtbot):
    """Wait until the pair of this order is in view."""

    def wait(page, order):
        qtbot.waitUntil(
            lambda: page.view is not None and page.showing.order == order, timeout=WAIT_MS
        )

    return wait


@pytest.fixture
def begin(table, click, in_view):
    """Fill in the form and press Start."""

    def start(page, order=1):
        page.set_up.path.setText(str(table))
        page.set_up.rater.setText("Ann")
        click(page.run_bar.button)
        if order:
            in_view(page, order)
        return page

    return start


@pytest.fixture
def page(viewer, dock, begin):
    """The dock, with the first pair in view."""
    return begin(dock("Rate"))


@pytest.fixture
def key(qtbot, viewer):
    """Press a key in napari's window."""

    def press(name, modifier=Qt.KeyboardModifier.NoModifier):
        qtbot.keyClick(viewer.window._qt_window, getattr(Qt.Key, f"Key_{name}"), modifier)

    return press


def texts(viewer):
    """All that can be read or hovered over in the window, and what the layers carry."""
    for widget in viewer.window._qt_window.findChildren(QWidget):
        for name in ("text", "toolTip", "title", "windowTitle", "placeholderText", "statusTip"):
            said = getattr(widget, name, str)
            yield str(said()) if callable(said) else ""
    yield viewer.title
    yield str(viewer.status)
    for layer in viewer.layers:
        yield from (layer.name, layer.get_source_str(), repr(layer.metadata), repr(layer.help))
        yield str(layer.get_status(viewer.cursor.position, world=True))


def test_a_pair_is_scan_a_in_blue_and_b_in_orange_in_its_middle(page, viewer):
    assert [layer.name for layer in viewer.layers] == ["Scan", "A", "B"]
    for layer, color in zip(page.layers.masks, (OURS, EXPERT), strict=True):
        assert layer.contour == 1
        shown = np.asarray(layer.get_color(1)[:3]) * 255
        assert shown == pytest.approx([int(color[i : i + 2], 16) for i in (1, 3, 5)], abs=1)
    assert viewer.dims.current_step[0] == page.view.middle == 12
    assert page.pair.count.text() == "Pair 1 of 3"
    assert viewer.layers.selection.active is page.layers.all[0]


def test_each_key_is_an_answer_on_disk_at_once_for_the_source_of_its_mask(
    page, key, in_view, answers
):
    for order, (name, answer) in enumerate((("1", "A"), ("2", "equal"), ("3", "B")), 1):
        in_view(page, order)
        a_is_larger = np.greater(*(np.count_nonzero(layer.data) for layer in page.layers.masks))
        assert grid_of(page.layers.masks[0]) == grid_of(page.layers.masks[1])
        key(name)
        assert len(answers()) == order
        row = answers()[-1]
        sources = (NETWORK, READER)[:: 1 if a_is_larger else -1]
        assert (row["a_source"], row["b_source"]) == sources
        assert row["answer"] == answer
        assert row["preferred"] == dict(zip("AB", sources, strict=True)).get(answer, "")


def test_nothing_in_the_window_names_a_source_before_the_summary(
    page, viewer, key, in_view, dock, notes
):
    for order in (1, 2, 3):
        in_view(page, order)
        page.keys.show()
        seen = [*texts(viewer), page.keys._box.text(), *notes]
        page.keys._box.close()
        if order == 2:
            dock("Measure")
            dock("Scan")
        assert not [text for text in seen if NETWORK in text or READER in text]
        key("2")
    assert page.pair.count.text() == "3 of 3 pairs rated"
    assert not [text for text in texts(viewer) if NETWORK in text or READER in text]


def test_each_button_is_an_answer_and_leaves_the_keys_to_the_pair(page, click, in_view, answers):
    for order, answer in enumerate(("A", "equal", "B"), 1):
        in_view(page, order)
        assert page.pair.buttons[answer].focusPolicy() == Qt.FocusPolicy.NoFocus
        click(page.pair.buttons[answer])
        assert answers()[-1]["answer"] == answer


def test_the_same_rater_goes_on_where_it_was_left_unless_the_table_changed(
    page, key, in_view, close_dock, dock, begin, click, ended, table
):
    key("1")
    in_view(page, 2)
    close_dock(page)
    again = begin(dock("Rate"), order=2)
    assert again.run_bar.message.text() == "Going on: 1 of 3 pairs have an answer."
    click(again.pair.buttons["Pause"])
    table.write_text(table.read_text().replace(f"{READER}2", f"{READER}1"))
    click(again.run_bar.button)
    ended(again)
    assert "changed since pairs_answers_Ann.csv was begun" in again.run_bar.message.text()


def test_each_pair_is_read_once_and_ahead_and_the_contrast_stays(
    viewer, dock, begin, qtbot, key, monkeypatch
):
    read, opened = [], pair_loader.open_pair
    monkeypatch.setattr(
        pair_loader, "open_pair", lambda one, tell: read.append(one.order) or opened(one, tell)
    )
    page = begin(dock("Rate"))
    show_window(page.layers.all[0], 0, 900)
    limits = page.layers.all[0].contrast_limits
    for order in (2, 3):
        qtbot.waitUntil(lambda order=order: order in page.loader._ready, timeout=WAIT_MS)
        key("1")
        assert page.showing.order == order
        assert page.view is not None, "without waiting"
        assert page.layers.all[0].contrast_limits == pytest.approx(limits)
    assert read == [1, 2, 3]


def test_while_a_pair_loads_the_last_one_is_hidden_and_no_key_answers(
    viewer, dock, begin, key, in_view, monkeypatch, gate, answers
):
    opened = pair_loader.open_pair
    slow = gate.around(opened)
    monkeypatch.setattr(
        pair_loader, "open_pair", lambda one, tell: (slow if one.order == 2 else opened)(one, tell)
    )
    page = begin(dock("Rate"))
    key("1")
    assert page.pair.state.text() == "Loading …"
    assert not any(layer.visible for layer in viewer.layers)
    assert not page.pair.buttons["A"].isEnabled()
    key("1")
    assert len(answers()) == 1
    gate.opened.set()
    in_view(page, 2)
    assert all(layer.visible for layer in viewer.layers)


def test_a_key_pressed_twice_is_one_answer(page, key, in_view, answers, monkeypatch):
    monkeypatch.setattr(rating_dock, "_SOONEST_S", 0.3)
    page._since -= 1
    key("1")
    in_view(page, 2)
    key("1")
    assert len(answers()) == 1


def test_back_shows_the_answer_and_another_takes_its_place(page, key, in_view, answers):
    key("1")
    in_view(page, 2)
    key("Z", Qt.KeyboardModifier.ControlModifier)
    in_view(page, 1)
    assert page.pair.state.text() == "Your answer: A. Another takes its place."
    assert [row["answer"] for row in answers()] == ["A"], "it stands until then"
    key("3")
    in_view(page, 2)
    assert [(row["answer"], row["earlier"]) for row in answers()] == [("B", "A")]
    key("Z", Qt.KeyboardModifier.ControlModifier)
    in_view(page, 1)
    key("Z", Qt.KeyboardModifier.ControlModifier)
    assert page.showing.order == 1
    assert "no pair before" in page.run_bar.message.text()


def test_keys_hide_outlines_and_go_to_the_difference_and_are_in_the_sheet(
    page, viewer, click, key, in_view
):
    def visible():
        return [layer.visible for layer in page.layers.masks]

    presses = ["Q", "Q", "E", "W", "W", "W"]
    seen = [(0, 1), (1, 1), (1, 0), (0, 0), (1, 1), (0, 0)]
    for name, expected in zip(presses, seen, strict=True):
        key(name)
        assert visible() == list(expected)
    page.view = replace(page.view, differ_most=7)
    key("D")
    assert viewer.dims.current_step[0] == 7
    key("1")
    in_view(page, 2)
    assert visible() == [True, True], "of the next pair both are shown"
    click(page.pair.buttons["? Keys"])
    sheet = page.keys._box.text()
    page.keys._box.close()
    listed = [(c[1], c[4]) for c in CHOICES] + [(h[0], h[2]) for h in (*HIDING, DIFFER)]
    for name, meaning in listed:
        assert f"<b>{name}</b>" in sheet
        assert meaning in sheet
    assert "<b>Control+Z</b>" in sheet


def test_nobody_can_edit_the_pair_and_no_dock_offers_its_masks(
    page, viewer, key, in_view, dock, rescue_folder
):
    key("1")
    in_view(page, 2)
    measure, correct = dock("Measure"), dock("Correct")
    assert measure.mask.layer is correct.mask.layer is measure.expert.layer is None
    for layer in viewer.layers:
        viewer.layers.selection.active = layer
        for name in "PEFL":
            key(name)
        assert str(layer.mode) == "pan_zoom"
        assert not layer.editable
    viewer.layers.remove_selected()
    assert len(viewer.layers) == 3
    assert not list(rescue_folder.glob("*/*"))


def test_keys_work_whatever_is_selected(page, viewer, key, qtbot, answers):
    for selection in ([], page.layers.masks):
        count = len(answers())
        viewer.layers.selection = set(selection)
        qtbot.waitUntil(lambda: viewer.layers.selection.active in page.layers.all, timeout=WAIT_MS)
        key("2")
        assert len(answers()) == count + 1


def test_a_pair_without_one_of_its_layers_cannot_be_answered(
    page, viewer, key, click, in_view, answers
):
    viewer.layers.remove(page.layers.masks[1])
    viewer.layers.selection.active = viewer.layers[0]
    key("1")
    assert answers() == []
    assert "A layer was removed" in page.pair.state.text()
    click(page.pair.buttons["Pause"])
    assert not len(viewer.layers)
    click(page.run_bar.button)
    in_view(page, 1)
    assert [layer.name for layer in viewer.layers] == ["Scan", "A", "B"]


def test_a_broken_pair_is_skipped_with_one_line_that_names_no_source(
    viewer, dock, begin, table, answers, notes, in_view, key
):
    page = begin(dock("Rate"))
    path = page.rating.showings[1].paths[0]
    page.pause()
    path.write_bytes(b"rubbish")
    notes.clear()
    begin(page)
    key("1")
    in_view(page, 3)
    assert notes == ["Pair 2 cannot be shown and was skipped; pairs_answers_Ann.csv says why."]
    skipped = answers()[1]
    assert (skipped["order"], skipped["answer"]) == ("2", "skipped")
    assert path.name in skipped["note"]
    key("1")
    assert page.pair.count.text() == "2 of 3 pairs rated"


def test_an_answer_that_cannot_be_written_is_said_and_the_pair_stays(
    page, key, answers, notes, monkeypatch
):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    key("1")
    assert "disk is full" in page.run_bar.message.text()
    assert (page.showing.order, answers()) == (1, [])
    monkeypatch.undo()
    page._since -= 1
    key("1")
    assert len(answers()) == 1


def test_the_summary_comes_at_the_end_and_is_written_beside_the_answers(
    page, key, in_view, click, table, viewer
):
    for order in (1, 2, 3):
        in_view(page, order)
        key("1" if page.showing.sources[0] == NETWORK else "3")
    assert page.run_bar.button.text() == "Show summary"
    assert page.rating.is_blind, "until it is asked for"
    click(page.pair.buttons["Back"])
    in_view(page, 3)
    key("2")
    assert page.pair.count.text() == "3 of 3 pairs rated"
    click(page.run_bar.button)
    assert page.result.number.text() == "100.0 %"
    assert f"{NETWORK} was preferred in 2 of 2 decided pairs" in page.result.text.text()
    assert not len(viewer.layers)
    content = json.loads(table.with_name("pairs_answers_Ann_summary.json").read_text())
    assert content["preferences"][NETWORK]["preferred"] == 2
    click(page.result.copy_button)
    assert QApplication.clipboard().text() == page.result.text.text()
    click(page.run_bar.button)
    assert page.run_bar.button.text() == "Start"


def test_the_summary_before_the_end_is_asked_for_twice_and_ends_the_blinding(
    page, key, in_view, click, answers
):
    assert not page.pair.buttons["Summary now …"].isEnabled()
    key("1")
    in_view(page, 2)
    click(page.pair.buttons["Summary now …"])
    assert "marked as not blind" in page.run_bar.message.text()
    assert page.rating.is_blind
    click(page.pair.buttons["Summary now …"])
    assert "of 1 decided" in page.result.text.text()
    click(page.result.go_on_button)
    in_view(page, 2)
    key("1")
    assert [row["blind"] for row in answers()] == ["yes", "no"]


def test_what_is_wrong_at_the_start_is_one_line(viewer, dock, click, ended, table, scan, notes):
    page = dock("Rate")
    page.set_up.rater.setText("Ann")
    click(page.run_bar.button)
    assert "Choose the table" in page.run_bar.message.text()
    page.set_up.path.setText(str(table))
    click(page.run_bar.button)
    assert "Close the other layers" in page.run_bar.message.text()
    viewer.layers.clear()
    table.write_text(table.read_text().replace(f"{NETWORK}1", "none"))
    click(page.run_bar.button)
    ended(page)
    assert "line 3: mask_1 none.nii.gz does not exist" in page.run_bar.message.text()
    assert len(notes) == 3
    assert page.run_bar.button.text() == "Start"


def test_a_closed_dock_takes_the_pair_and_its_keys_with_it(page, viewer, close_dock):
    masks = page.layers.masks
    close_dock(page)
    assert not len(viewer.layers)
    assert not any(isinstance(mask, Labels) and any(mask.keymap.values()) for mask in masks)
