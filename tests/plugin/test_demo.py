"""The window of the demo: the scan, both masks, the docks, and the number."""

import napari
import pytest

from napari_vbmd.io.files import write_mask
from napari_vbmd.plugin import demo
from napari_vbmd.plugin.measure_dock import MeasureDock


@pytest.fixture
def files(tube, tmp_path):
    mask = write_mask(tmp_path / "mask.aim", tube.mask, tube.grid)
    expert = write_mask(tmp_path / "expert.aim", tube.mask, tube.grid)
    return tube.path, mask, expert


def measure_page(viewer):
    _, page = viewer.window.add_plugin_dock_widget("napari-vbmd", "Measure")
    assert isinstance(page, MeasureDock)
    return page


def test_demo_shows_scan_and_masks_and_measures_them(viewer, files, ended, tube):
    demo.fill(viewer, *files)
    page = measure_page(viewer)
    ended(page)
    assert [layer.name for layer in viewer.layers] == ["tube.isq", "expert", "tube.isq [mask]"]
    assert page.headline.number.text().startswith(f"{tube.mean:.1f}")
    assert "Dice 1.000" in page.headline.agreement.text()
    assert page.mask.currentText() == "tube.isq [mask]"
    assert page.expert.currentText() == "expert"


def test_demo_without_an_expert_measures_the_mask_alone(viewer, files, ended, tube):
    demo.fill(viewer, *files[:2])
    page = measure_page(viewer)
    ended(page)
    assert len(viewer.layers) == 2
    assert page.headline.agreement.isHidden()
    assert page.headline.number.text().startswith(f"{tube.mean:.1f}")


def test_masks_are_outlines_in_their_own_colours(viewer, files, ended):
    demo.fill(viewer, *files)
    ended(measure_page(viewer))
    expert, ours = viewer.layers[1:]
    assert expert.contour > 0
    assert ours.contour > 0
    assert tuple(expert.get_color(1)) != tuple(ours.get_color(1))


def test_show_opens_a_viewer_and_returns_when_it_is_closed(
    make_napari_viewer, files, monkeypatch, ended
):
    made = []

    def viewer(**kwargs):
        made.append(make_napari_viewer(**kwargs))
        return made[-1]

    monkeypatch.setattr(napari, "Viewer", viewer)
    monkeypatch.setattr(napari, "run", lambda: made.append("ran"))
    demo.show(*files)
    assert made[1] == "ran"
    assert "demo" in made[0].title
    assert len(made[0].layers) == 3
    ended(measure_page(made[0]))
