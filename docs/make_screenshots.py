"""Take the pictures of the documentation from the real window, with the synthetic sample.

Run it through `make screenshots`; it needs a display, real or virtual. With the manifest and the
folder of a training as arguments it takes the picture of the dock Train instead:

    sh tools/with_display.sh .venv/bin/python docs/make_screenshots.py hands.csv runs/hands
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import napari
from qtpy.QtWidgets import QApplication, QScrollArea

from napari_vbmd.io.files import read_mask, read_scan, write_mask
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.measurement.tables import csv_text, row
from napari_vbmd.morphology import erode
from napari_vbmd.phantom.sample import sample_paths
from napari_vbmd.phantom.slabs import HandScan
from napari_vbmd.pipeline import make_mask
from napari_vbmd.pipeline.phantom import write_phantom
from napari_vbmd.plugin.layers import mask_of
from napari_vbmd.segmentation.methods import METHODS
from napari_vbmd.study.worklist import APPROVED, CORRECTED

IMAGES = Path(__file__).parent / "images"
PLUGIN = "napari-vbmd"
SAMPLE_SLICE, HAND_SLICE = 40, 30


def main() -> None:
    """Walk through the sample as a student would, taking a picture at each step."""
    IMAGES.mkdir(exist_ok=True)
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1366, 768)
    if len(sys.argv) > 1:
        training(viewer, *sys.argv[1:])
        return
    viewer.open_sample(PLUGIN, "phantom_bone")
    scan, expert = viewer.layers
    go_to(viewer, scan, SAMPLE_SLICE)
    wait(1)

    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Scan")
    viewer.layers.selection.active = scan
    take(viewer, "scan")

    dock = dock.open_dock("Segment")
    expert.visible = False
    dock.method.setCurrentText("contour")
    set_slices(dock, viewer, scan, expert)
    go_to(viewer, scan, SAMPLE_SLICE)
    dock.run_bar.button.click()
    wait(0.6)
    take(viewer, "segment_running", settle=0)
    wait_for(dock)
    take(viewer, "segment")
    mask = dock.result
    bone = copy_of(mask)

    expert.visible = True
    measure = dock.open_dock("Measure")
    measure.mask.pick(mask)
    measure.expert.pick(expert)
    measure.run_bar.button.click()
    wait_for(measure)
    take(viewer, "measure")
    viewer.theme = "light"
    measure.run_bar.button.click()
    wait_for(measure)
    take(viewer, "measure_light")
    viewer.theme = "dark"
    compartments(viewer, measure)

    expert.visible = False
    paint_a_hole(mask)
    clean = measure.open_dock("Post-process")
    clean.mask.pick(mask)
    clean.preview(clean.fill)
    wait_for(clean)
    take(viewer, "postprocess")
    clean.discard_preview()
    viewer.layers.clear()

    hand = network(viewer)
    viewer.layers.clear()
    rating(viewer, {"bone": bone, "hand": hand})
    viewer.layers.clear()
    worklist(viewer)
    viewer.layers.clear()
    uncalibrated(viewer)
    viewer.layers.clear()
    agreement(viewer)
    viewer.close()


def compartments(viewer, measure) -> None:
    """Head and shaft, and the split into cortex and trabeculae over the scan."""
    section, area = measure.compartments, measure.findChild(QScrollArea)
    measure.parts.regions.wanted.setChecked(True)
    section.expand()
    section.button.click()
    wait_for(measure)
    section.show_split.setChecked(True)
    wait(0.5)
    area.ensureWidgetVisible(section)
    take(viewer, "measure_compartments")
    section.show_split.setChecked(False)
    section.collapse()
    measure.parts.regions.wanted.setChecked(False)
    area.verticalScrollBar().setValue(0)


def network(viewer):
    """The left hand by the shipped network: while it runs, after, and at another threshold.

    Gives the mask before anybody corrected it.
    """
    viewer.open_sample(PLUGIN, "phantom_hand")
    scan, expert = viewer.layers
    viewer.reset_view()
    go_to(viewer, scan, HAND_SLICE)
    dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Segment", tabify=True)[1]
    dock.parentWidget().raise_()
    dock.method.setCurrentText("unet-3d")
    dock.scan.pick(scan)
    expert.visible = False
    dock.run_bar.button.click()
    while dock.run_bar.running and dock.run_bar.bar.value() < 20:
        wait(0.02)
    take(viewer, "network_running", settle=0)
    wait_for(dock)
    mask = copy_of(dock.result)
    zoom_to(viewer, dock.result)
    take(viewer, "network")
    dock._form.widgets["threshold"].value = 0.9
    take(viewer, "network_threshold")
    expert.visible = True
    measure = dock.open_dock("Measure")
    measure.mask.pick(dock.result)
    measure.expert.pick(expert)
    measure.run_bar.button.click()
    wait_for(measure)
    take(viewer, "network_measure")
    correct(viewer, measure, dock.result)
    return mask


def rating(viewer, masks) -> None:
    """Automatic masks of the two samples beside the expert's, in colours drawn by lot."""
    with TemporaryDirectory() as folder:
        lines = ["scan,mask_1,mask_2,name_1,name_2"]
        for sample, mask in masks.items():
            paths, name = sample_paths(sample=sample), f"{sample}.nii.gz"
            write_mask(Path(folder, name), mask.voxels, mask.grid)
            lines.append(f"{paths.scan},{name},{paths.expert},automatic,expert")
        table = Path(folder, "pairs.csv")
        table.write_text("\n".join(lines))
        dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Rate", tabify=True)[1]
        dock.parentWidget().raise_()
        dock.set_up.path.setText(str(table))
        dock.set_up.rater.setText("Ann")
        dock.start()
        while dock.view is None:
            wait(0.05)
        dock.go_to_difference()
        take(viewer, "rate")
        dock.pause()


def worklist(viewer) -> None:
    """A morning's cases: approved, corrected, in work, and one whose scan is missing."""
    with TemporaryDirectory() as folder:
        os.environ["VBMD_SETTINGS"] = folder
        dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Worklist", tabify=True)[1]
        dock.parentWidget().raise_()
        dock.annotator.setText("Ann")
        dock.annotator.editingFinished.emit()
        dock.open_manifest(str(manifest_of_hands(Path(folder))))
        for status in (APPROVED, CORRECTED):
            at_rest(dock)
            dock.desk.step(+1, status)
        at_rest(dock)
        mask = dock.mask.layer
        z, y = (int(n.mean()) for n in mask.data.nonzero()[:2])
        mask.mode, mask.brush_size = "paint", 8
        mask.paint((z, y, int(mask.data[z].any(axis=0).nonzero()[0].max()) + 2), 1)
        take(viewer, "worklist")
        dock.desk.step(+1)  # saves the stroke
        at_rest(dock)
        viewer.window.remove_dock_widget(dock.parentWidget())


def manifest_of_hands(folder: Path) -> Path:
    """Synthetic hands, each with a mask that is a little too small, and the expert's."""
    rows = ["scan,mask,expert,patient,side,motion_grade"]
    for number, side in enumerate(("left", "right", "left"), 1):
        name = f"hand_{number:02}"
        hand = HandScan(100_010 + number, side, "small")
        write_phantom(hand, folder / f"{name}.isq", folder / f"{name}_expert.aim", lambda *_: None)
        expert = read_mask(folder / f"{name}_expert.aim")
        small = erode(expert.voxels, 0.3, expert.grid.spacing_mm, slicewise=True)
        write_mask(folder / f"{name}_auto.aim", small, expert.grid)
        rows.append(f"{name}.isq,{name}_auto.aim,{name}_expert.aim,P{number:02},{side},{number}")
    path = folder / "cases.csv"
    path.write_text("\n".join([*rows, "hand_04.isq,,,P04,right,1"]), encoding="utf-8")
    return path


def at_rest(dock) -> None:
    """Wait until a case is in view."""
    wait(0.2)
    while dock.desk.case is None or dock.desk.busy:
        wait(0.05)


def correct(viewer, measure, mask) -> None:
    """A rough stroke snapped to the bone's edge, and the density that followed both."""
    dock = measure.open_dock("Correct")
    dock.mask.pick(mask)
    viewer.layers.selection.active = mask
    row = mask.data[HAND_SLICE].any(axis=1).nonzero()[0]
    column = mask.data[HAND_SLICE].any(axis=0).nonzero()[0]
    mask.brush_size = 20
    mask.paint((HAND_SLICE, int(row.mean()), int(column.max()) - 2), 1)
    take(viewer, "correct")
    measure.parentWidget().raise_()
    take(viewer, "measure_live")
    review(viewer, measure, dock)


def review(viewer, measure, correct) -> None:
    """Where the mask and the expert's differ, the worst slice first; its outline from a click."""
    mask = correct.mask.layer
    dock = measure.open_dock("Review")
    dock.run_bar.button.click()
    wait_for(dock)
    wait(1)
    while viewer.dims.current_step[0] != HAND_SLICE:
        dock.next()
        wait(0.1)
    take(viewer, "review")
    dock.open_dock("Correct")
    z, y, x = (int(n.mean()) for n in mask.data[HAND_SLICE : HAND_SLICE + 1].nonzero())
    correct.contour.edge.setValue(220)
    correct.contour._clicked(mask.data_to_world((HAND_SLICE + z, y, x)))
    take(viewer, "contour_click")


def agreement(viewer) -> None:
    """A study of synthetic hands as two plots, and the patient of a point; the figure for print."""
    with TemporaryDirectory() as folder:
        table = write_study(Path(folder))
        dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Agreement")[1]
        dock.parentWidget().raise_()
        dock.open_table(str(table))
        wait_for(dock)
        dock.exports.save_figure(str(IMAGES / "agreement_figure.png"))
        wait_for(dock)
        dock.run_bar.message.say("")
        differences = abs(
            dock.quantity.agreement.pairs.ours - dock.quantity.agreement.pairs.reference
        )
        dock.open_patient(int(differences.argmax()))
        while dock.busy:
            wait(0.05)
        take(viewer, "agreement")
        viewer.layers.clear()


def write_study(folder: Path) -> Path:
    """Sixteen hands that no network has seen, its masks and the known ones, and the table."""
    rows = []
    for i in range(16):
        name, side = f"hand{i + 1:02}", "left" if i % 2 else "right"
        files = {"scan": f"{name}.isq", "mask": f"{name}_mask.aim", "expert": f"{name}_expert.aim"}
        hand = HandScan(100_000 + i, side, "small")
        write_phantom(hand, folder / files["scan"], folder / files["expert"])
        scan = read_scan(folder / files["scan"])
        parameters = METHODS["unet-3d"].parameters(side=side)
        mask = make_mask(scan, "unet-3d", parameters)[0].mask
        write_mask(folder / files["mask"], mask, scan.grid, scan=scan)
        comparison = measure_against(scan, mask, read_mask(folder / files["expert"]))
        rows.append({"patient": f"P{i + 1:02}"} | files | row(comparison))
    (folder / "results.csv").write_text(csv_text(rows), encoding="utf-8")
    return folder / "results.csv"


def training(viewer, manifest: str, folder: str) -> None:
    """The curves of a training that was made before."""
    viewer.open_sample(PLUGIN, "phantom_hand")
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Train")
    dock.choices.manifest.pick(manifest)
    dock.choices.out.pick(folder)
    take(viewer, "train")
    viewer.close()


def copy_of(layer):
    """The mask in a layer as it is now."""
    return replace(mask_of(layer), voxels=layer.data.copy())


def zoom_to(viewer, mask) -> None:
    """Look at the bone from near."""
    z, y, x = (n.mean() for n in mask.data.nonzero())
    viewer.camera.center = tuple(
        float(t + c * s) for c, s, t in zip((z, y, x), mask.scale, mask.translate, strict=True)
    )
    viewer.camera.zoom *= 2.5


def set_slices(dock, viewer, scan, expert) -> None:
    """The expert's range, set as a person does: go there, "Use this slice"."""
    first = round(float(expert.translate[0] / scan.scale[0]))
    for z, button in zip((first, first + len(expert.data) - 1), dock.slices._buttons, strict=True):
        go_to(viewer, scan, z)
        button.click()


def paint_a_hole(mask) -> None:
    """A gap such as a network leaves."""
    section = mask.data[SAMPLE_SLICE]
    ys, xs = section.nonzero()
    y, x = int(ys.mean()), int(xs.mean())
    mask.data[SAMPLE_SLICE - 3 : SAMPLE_SLICE + 3, y - 12 : y + 12, x - 20 : x + 4] = 0
    mask.refresh()


def uncalibrated(viewer) -> None:
    """The same scan as a file without constants shows it."""
    from napari_vbmd.calibration import Calibration
    from napari_vbmd.plugin.layers import add_mask, scan_to_layer

    paths = sample_paths()
    scan = replace(read_scan(paths.scan), calibration=Calibration(mu_scaling=8192))
    voxels, kwargs, _ = scan_to_layer(scan)
    layer = viewer.add_image(voxels, **kwargs)
    add_mask(viewer, read_mask(paths.expert), "expert (synthetic)", "#E69F00")
    go_to(viewer, layer, SAMPLE_SLICE)
    viewer.reset_view()
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Measure")
    dock.parentWidget().raise_()
    take(viewer, "no_calibration")


def go_to(viewer, layer, z: int) -> None:
    """Show a slice."""
    viewer.dims.set_point(0, float(layer.translate[0] + z * layer.scale[0]))


def wait(seconds: float) -> None:
    """Let the window live for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def wait_for(dock, seconds: float = 300) -> None:
    """Wait until a dock's work is done."""
    end = time.monotonic() + seconds
    while dock.run_bar.running:
        if time.monotonic() > end:
            sys.exit(f"{type(dock).__name__} did not end within {seconds} s")
        wait(0.05)


def take(viewer, name: str, settle: float = 1.0) -> None:
    """Save a picture of the whole window."""
    wait(settle)
    viewer.window.screenshot(str(IMAGES / f"{name}.png"), canvas_only=False, flash=False)
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()
