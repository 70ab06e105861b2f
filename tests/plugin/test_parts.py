"""What every dock is made of: notes, the run bar, the page."""

import gc
import weakref

import pytest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSlider,
    QTableWidget,
)

from napari_vbmd.errors import NoBoneError
from napari_vbmd.plugin.job import Job
from napari_vbmd.plugin.layers import add_mask
from napari_vbmd.plugin.parts import DOCK_WIDTH, Note, Page, RunBar, Warnings
from napari_vbmd.scan import Mask

DOCKS = ("Scan", "Segment", "Post-process", "Correct", "Measure")
OF_MASKS = ("Post-process", "Correct")


@pytest.fixture
def bar(qtbot):
    bar = RunBar("Go", "Do it")
    qtbot.addWidget(bar)
    return bar


def test_note_is_hidden_while_it_has_nothing_to_say(qtbot):
    note = Note()
    qtbot.addWidget(note)
    assert note.isHidden()
    note.say("something")
    assert not note.isHidden()
    note.say("")
    assert note.isHidden()


def test_note_with_a_text_does_not_open_a_window_of_its_own(qtbot):
    note = Note("something")
    qtbot.addWidget(note)
    assert not note.isVisible()


def test_note_shows_a_text_as_it_is(qtbot):
    note = Note()
    qtbot.addWidget(note)
    note.say("<b>a.isq</b> is < b")
    assert note.textFormat().name == "PlainText"


def test_warnings_are_listed_a_line_each(qtbot):
    warnings = Warnings()
    qtbot.addWidget(warnings)
    warnings.list(["one", "two"])
    assert warnings.text() == "⚠ one\n⚠ two"
    warnings.list([])
    assert warnings.isHidden()


def test_run_bar_shows_progress_and_cancel_only_while_it_runs(bar, gate, entered, qtbot, click):
    bar.show()
    assert not bar.cancel.isVisible()

    def work(progress):
        gate.wait()
        progress(0.4, "slice 4 of 10")
        return 1

    results = []
    bar.run(work, "Going", results.append)
    assert bar.running
    assert bar.cancel.isVisible()
    assert bar.bar.isVisible()
    assert not bar.button.isEnabled()
    entered()
    gate.opened.set()
    qtbot.waitUntil(lambda: not bar.running)
    assert results == [1]
    assert bar.bar.value() == 40
    assert bar.message.text().startswith("slice 4 of 10")
    assert not bar.cancel.isVisible()
    assert not bar.bar.isVisible()
    assert bar.button.isEnabled()


def test_second_start_while_one_runs_is_ignored(bar, gate, entered, qtbot):
    started = []

    def work(progress):
        started.append(1)
        gate.wait()

    for _ in range(2):
        bar.run(work, "Going", lambda _: None)
    entered()
    gate.opened.set()
    qtbot.waitUntil(lambda: not bar.running)
    assert started == [1]


def test_cancel_button_stops_the_work_and_no_result_arrives(
    bar, gate, entered, qtbot, click, notes
):
    results = []

    def work(progress):
        gate.wait()
        progress(0.5, "half")
        return 1

    bar.run(work, "Going", results.append)
    entered()
    click(bar.cancel)
    assert bar.running
    assert bar.message.text() == "Cancelling …"
    gate.opened.set()
    qtbot.waitUntil(lambda: not bar.running)
    assert results == []
    assert "Cancelled" in bar.message.text()
    assert notes == []
    assert bar.button.isEnabled()


def test_failure_is_one_line_in_the_bar_and_one_notification(bar, qtbot, notes):
    def work(progress):
        raise NoBoneError("scan: no bone; lower the threshold")

    bar.run(work, "Going", lambda _: None)
    qtbot.waitUntil(lambda: not bar.running)
    assert bar.message.text() == "scan: no bone; lower the threshold"
    assert notes == ["scan: no bone; lower the threshold"]
    assert bar.button.isEnabled()


def test_disabled_button_says_why(bar):
    bar.allow("Open a scan first")
    assert not bar.button.isEnabled()
    assert bar.button.toolTip() == "Open a scan first"
    bar.allow()
    assert bar.button.isEnabled()
    assert bar.button.toolTip() == "Do it"


def test_button_that_was_disabled_during_the_work_stays_so_after_it(bar, gate, entered, qtbot):
    bar.run(lambda progress: gate.wait(), "Going", lambda _: None)
    entered()
    bar.allow("Open a scan first")
    gate.opened.set()
    qtbot.waitUntil(lambda: not bar.running)
    assert not bar.button.isEnabled()
    bar.allow()
    assert bar.button.isEnabled()


def test_button_allowed_during_the_work_waits_for_its_end(bar, gate, entered, qtbot):
    bar.run(lambda progress: gate.wait(), "Going", lambda _: None)
    entered()
    bar.allow()
    assert not bar.button.isEnabled()
    gate.opened.set()
    qtbot.waitUntil(lambda: not bar.running)
    assert bar.button.isEnabled()


def test_progress_of_nothing_done_yet_is_shown(bar):
    bar._show_progress(0.0, "first")
    assert bar.bar.value() == 0
    assert bar.message.text() == "first"


def test_time_left_is_told_once_it_is_known(bar, monkeypatch):
    now = iter((110.0, 130.0))
    monkeypatch.setattr("napari_vbmd.plugin.parts.monotonic", lambda: next(now))
    bar._started = 100.0
    bar._show_progress(0.01, "early")
    assert bar.message.text() == "early"
    bar._show_progress(0.25, "later")
    assert bar.message.text() == "later, about 90 s left"


def test_finished_work_and_its_result_are_let_go(bar, qtbot):
    class Result:
        pass

    kept = []

    def work(progress):
        result = Result()
        kept.append(weakref.ref(result))
        return result

    bar.run(work, "Going", lambda _: None)
    qtbot.waitUntil(lambda: not bar.running)
    QApplication.processEvents()
    qtbot.waitUntil(lambda: not bar.findChildren(Job))
    gc.collect()
    assert kept[0]() is None


@pytest.mark.parametrize("name", DOCKS)
def test_dock_opened_before_any_layer_is_ready_for_the_first(viewer, dock, open_scan, name):
    page = dock(name)
    picker = page.mask if name in OF_MASKS else page.scan
    assert picker.layer is None
    if hasattr(page, "run_bar"):
        assert not page.run_bar.button.isEnabled()
        assert page.run_bar.button.toolTip()
    layer = open_scan(viewer)
    if name not in OF_MASKS:
        assert page.scan.layer is layer


@pytest.mark.parametrize("name", DOCKS[:4])
def test_last_line_of_a_dock_opens_the_next_one_in_sight(make_napari_viewer, dock, qtbot, name):
    viewer = make_napari_viewer(show=True)
    page = dock(name, viewer)
    following = DOCKS[DOCKS.index(name) + 1]
    other = dock(following, viewer)
    qtbot.waitUntil(other.isVisible)
    QApplication.processEvents()
    other.parent().title.hide_button.click()
    qtbot.waitUntil(lambda: not other.isVisible())
    opened = page.open_dock(following)
    assert opened is other
    qtbot.waitUntil(lambda: opened.isVisible() and not opened.visibleRegion().isEmpty())


def test_next_dock_is_a_tab_beside_the_first_and_in_front(make_napari_viewer, dock, qtbot):
    viewer = make_napari_viewer(show=True)
    page = dock("Segment", viewer)
    opened = page.open_dock("Post-process")
    qtbot.waitUntil(lambda: not opened.visibleRegion().isEmpty())
    assert page.visibleRegion().isEmpty()


@pytest.mark.parametrize("name", DOCKS)
def test_closed_dock_no_longer_follows_the_viewer(
    viewer, dock, close_dock, open_scan, mask_layer, name
):
    page = dock(name)
    close_dock(page)
    layer = open_scan(viewer)
    viewer.add_layer(mask_layer)
    layer.name = "renamed"
    viewer.dims.set_current_step(0, 3)
    viewer.theme = "light"
    viewer.layers.clear()
    reopened = dock(name)
    assert reopened is not page
    assert isinstance(reopened, Page)


@pytest.fixture(params=["dark", "light"])
def docks(request, make_napari_viewer, open_scan, tube, dock, run):
    """All docks of a viewer in a theme, with long names in them and a number measured."""
    viewer = make_napari_viewer(show=True)
    viewer.theme = request.param
    open_scan(viewer).name = "a long name of a scan, as a study would give it, 2024-05-17.isq"
    for name in ("a long name of a mask, just as long as that one", "expert"):
        add_mask(viewer, Mask(tube.mask.copy(), tube.grid), name)
    pages = {name: dock(name, viewer) for name in DOCKS}
    pages["Segment"]._advanced.expand(animate=False)
    pages["Measure"].expert.setCurrentIndex(1)
    run(pages["Measure"])
    return pages


def test_docks_fit_into_300_pixels(docks, subtests):
    for name, page in docks.items():
        with subtests.test(name):
            page.parent().raise_()
            page.resize(DOCK_WIDTH, 700)
            QApplication.processEvents()
            [area] = page.findChildren(QScrollArea)
            assert page.minimumSizeHint().width() <= 330
            assert area.widget().minimumSizeHint().width() <= DOCK_WIDTH
            assert area.horizontalScrollBar().maximum() == 0
            assert not area.horizontalScrollBar().isVisible()


def test_text_of_the_docks_can_be_read(docks, subtests):
    for name, page in docks.items():
        page.parent().raise_()
        QApplication.processEvents()
        picture = page.grab().toImage()
        background = picture.pixelColor(2, picture.height() // 2).lightnessF()
        assert (background > 0.5) == (page.viewer.theme == "light")
        for label in page.findChildren(QLabel):
            if label.isVisible() and label.text() and not label.size().isEmpty():
                with subtests.test(name, text=label.text()):
                    assert contrast(label, background) > 0.25


def contrast(label, background: float) -> float:
    """The largest difference in lightness between a label's pixels and its background."""
    image = label.grab().toImage()
    pixels = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return max(abs(image.pixelColor(*at).lightnessF() - background) for at in pixels)


@pytest.mark.parametrize("name", DOCKS)
def test_every_control_of_a_dock_has_a_tooltip(viewer, scan, mask, dock, name):
    page = dock(name)
    controls = [
        control
        for kind in (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QSlider)
        for control in page.findChildren(kind)
        if not is_part_of_another(control)
    ]
    assert len(controls) > 2
    without = [c for c in controls if not c.toolTip()]
    assert without == [], [getattr(c, "text", str)() for c in without]


def is_part_of_another(control) -> bool:
    """Whether it is the line of a spin box, the list of a combo box, the corner of a table."""
    parent = control.parent()
    while parent is not None:
        if isinstance(parent, QComboBox | QAbstractSpinBox | QTableWidget):
            return True
        parent = parent.parent()
    return False
