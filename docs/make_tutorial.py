"""Take the pictures of docs/tutorial.md: from opening a scan to a saved, measured mask.

Run it through `make screenshots`; it needs a display, real or virtual. Every step is done as the
tutorial says, through the docks' own buttons and the layers' own keys and tools.
"""

import tempfile
from pathlib import Path

import napari
import numpy as np
from make_screenshots import PLUGIN, go_to, take, wait, wait_for, zoom_to

from napari_vbmd.io.files import read_mask
from napari_vbmd.phantom.sample import sample_paths


def main() -> None:
    """Walk the tutorial, taking a picture at each step."""
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1366, 768)
    scan, expert = open_sample(viewer)
    mask = segment(viewer, scan)
    measure = measure_first(viewer, scan, mask)
    correct(viewer, mask, measure)
    look_again(viewer, scan, mask, expert)
    save(viewer, mask)
    viewer.layers.clear()
    a_day(viewer)
    viewer.close()


def open_sample(viewer):
    """Step 1."""
    viewer.open_sample(PLUGIN, "phantom_hand")
    scan, expert = viewer.layers
    expert.visible = False
    viewer.reset_view()
    go_to(viewer, scan, 30)
    viewer.layers.selection.active = scan
    dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Scan", tabify=True)[1]
    dock.parentWidget().raise_()
    take(viewer, "tutorial_1_open")
    return scan, expert


def segment(viewer, scan):
    """Step 2."""
    dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Segment", tabify=True)[1]
    dock.parentWidget().raise_()
    dock.scan.pick(scan)
    dock.run_bar.button.click()
    wait_for(dock)
    mask = dock.result
    zoom_to(viewer, mask)
    go_to(viewer, scan, 30)
    take(viewer, "tutorial_2_segment")
    return mask


def measure_first(viewer, scan, mask):
    """Step 3."""
    dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Measure", tabify=True)[1]
    dock.parentWidget().raise_()
    dock.scan.pick(scan)
    dock.mask.pick(mask)
    dock.expert.setCurrentIndex(0)
    dock.run_bar.button.click()
    wait_for(dock)
    take(viewer, "tutorial_3_measure")
    return dock


def correct(viewer, mask, measure) -> None:
    """Step 4: a slice that went wrong, mended with one click; and slices between two."""
    dock = measure.open_dock("Correct")
    dock.mask.pick(mask)
    viewer.layers.selection.active = mask
    z = 36
    go_to(viewer, mask, z)
    rows, columns = mask.data[z].nonzero()
    mask.mode = "paint"
    mask.brush_size = 16
    mask.paint((z, int(rows.mean()), int(columns.max()) + 3), 1)
    take(viewer, "tutorial_4_wrong")
    mask.undo()
    erase_between(mask, 37, 43)
    dock.run_bar.button.click()
    wait_for(dock)
    go_to(viewer, mask, 40)
    take(viewer, "tutorial_5_between")
    measure.parentWidget().raise_()
    wait(1)
    take(viewer, "tutorial_6_follows")


def erase_between(mask, first: int, last: int) -> None:
    """Empty some slices, as if they had not been painted yet; one undo step each."""
    for z in range(first, last + 1):
        y, x = mask.data[z].nonzero()
        mask.data_setitem((np.full_like(y, z), y, x), 0)


def look_again(viewer, scan, mask, expert) -> None:
    """Step 5."""
    expert.visible = True
    dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Review", tabify=True)[1]
    dock.parentWidget().raise_()
    dock.scan.pick(scan)
    dock.mask.pick(mask)
    dock.expert.pick(expert)
    dock.run_bar.button.click()
    wait_for(dock)
    take(viewer, "tutorial_7_review")


def save(viewer, mask) -> None:
    """Step 6; what was saved is read again, to be sure that the tutorial's last line is true."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "hand_mask.aim")
        viewer.layers.selection.active = mask
        assert viewer.layers.save(str(path), selected=True, plugin=PLUGIN)
        assert read_mask(path).voxels.sum() == mask.data.sum()


def a_day(viewer) -> None:
    """A worklist of both samples, the first case in view."""
    with tempfile.TemporaryDirectory() as folder:
        lines = ["scan,mask,patient"]
        for sample in ("hand", "bone"):
            paths = sample_paths(sample=sample)
            lines.append(f"{paths.scan},{paths.expert},synthetic {sample}")
        manifest = Path(folder, "cases.csv")
        manifest.write_text("\n".join(lines) + "\n")
        dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Worklist", tabify=True)[1]
        dock.parentWidget().raise_()
        dock.annotator.setText("Ann")
        dock.open_manifest(str(manifest))
        while not dock.run_bar.button.isEnabled():
            wait(0.1)
        take(viewer, "worklist")


if __name__ == "__main__":
    main()
