"""ROC and precision-recall: a corner where the curves pass through it, else the whole."""

import numpy as np
from matplotlib.figure import Figure

from napari_vbmd.measurement.curves import Curves
from napari_vbmd.report.curve_figures import curve_figure, curve_files, draw_small


def curves(found: int) -> Curves:
    """1000 voxels of bone, of which the network is sure of some, among a million others."""
    bone, other = np.zeros(256, np.int64), np.zeros(256, np.int64)
    bone[250], bone[0] = found, 1000 - found
    other[0], other[250] = 999_990, 10
    return Curves(bone, other)


def test_a_good_method_is_shown_in_its_corner():
    left, right = curve_figure({"good": curves(980)}).axes
    assert left.get_title() == "ROC, a corner of it"
    assert (left.get_xlim()[1], left.get_ylim()[0]) == (0.02, 0.9)
    assert right.get_xlim()[0] == 0.9


def test_one_that_does_not_reach_the_corner_is_shown_whole():
    left, right = curve_figure({"good": curves(980), "poor": curves(400)}).axes
    assert left.get_title() == "ROC"
    assert left.get_xlim()[1] == 1.0
    assert right.get_xlim()[0] == 0.0
    assert len(left.lines) == len(right.lines) == 2


def test_the_files_are_what_they_are_called_and_the_same_every_time():
    files = curve_files("unet", curves(980))
    assert files == curve_files("unet", curves(980))
    assert files["curves.png"].startswith(b"\x89PNG")
    assert files["curves.svg"].startswith(b"<?xml")


def test_without_bone_there_is_no_figure():
    none = np.zeros(256, np.int64)
    assert curve_files("unet", Curves(none, none + 1)) == {}


def test_ticks_of_the_small_axes_are_where_their_labels_say():
    figure = Figure(figsize=(3.6, 1.75))
    draw_small(*figure.subplots(1, 2), curves(980), "blue")
    figure.canvas.draw()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            said = [float(t.get_text().replace("−", "-")) for t in axis.get_ticklabels()]
            np.testing.assert_allclose(said, axis.get_ticklocs(), atol=1e-9)
