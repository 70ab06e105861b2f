"""Figures that show what they say, and one page that holds everything and names nobody."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.colors import to_hex

from napari_vbmd.calibration import Calibration
from napari_vbmd.errors import EmptyMaskError
from napari_vbmd.grid import Grid
from napari_vbmd.measurement.comparison import measure_against
from napari_vbmd.provenance import run_record
from napari_vbmd.report import figure_png, figures, overlay_figure, profile_figure, report_html
from napari_vbmd.scan import Mask, Scan

OURS, EXPERT = (colour.lower() for colour in (figures.OURS, figures.EXPERT))
DENSITY = Calibration(density_slope=1.0, density_intercept=0.0, source="test")


@pytest.fixture
def scan(tmp_path) -> Scan:
    grid = Grid((20, 60, 80), (0.5, 0.25, 0.25))
    voxels = np.arange(np.prod(grid.shape), dtype=np.float32).reshape(grid.shape) % 997
    path = tmp_path / "x<b>&.isq"
    return Scan(voxels, "density", grid, DENSITY, {"Patient Name": "Jane Roe"}, path, "ISQ")


@pytest.fixture
def mask() -> Mask:
    """A block in slices 4 to 9, around y 20 to 39 and x 30 to 49 of the scan."""
    return Mask(np.ones((6, 20, 20), np.uint8), Grid((6, 20, 20), (0.5, 0.25, 0.25), (4, 20, 30)))


@pytest.fixture
def expert() -> Mask:
    return Mask(np.ones((8, 20, 20), np.uint8), Grid((8, 20, 20), (0.5, 0.25, 0.25), (4, 22, 30)))


def colours(axes) -> list[str]:
    return [to_hex(c.get_edgecolor()[0]) for c in axes.collections]


def test_the_overlay_shows_three_slices_through_the_masks_centre(scan, mask):
    panels = overlay_figure(scan, mask).axes
    assert [p.get_title() for p in panels] == [
        "Axial, slice 6", "Longitudinal, y 30", "Longitudinal, x 40", "3D view of the mask",
    ]  # fmt: skip
    for panel, expected in zip(
        panels[:3], (scan.voxels[6], scan.voxels[:, 30], scan.voxels[:, :, 40]), strict=True
    ):
        left, right, low, high = (round(e + 0.5) for e in panel.images[0].get_extent())
        shown = panel.images[0].get_array()
        np.testing.assert_array_equal(shown, expected[high:low, left:right])


def test_outlines_are_ours_in_blue_and_the_experts_in_orange(scan, mask, expert):
    assert colours(overlay_figure(scan, mask).axes[0]) == [OURS]
    assert colours(overlay_figure(scan, mask, expert).axes[0]) == [EXPERT, OURS]


def test_an_outline_lies_on_the_masks_edge(scan, mask):
    axial = overlay_figure(scan, mask).axes[0]
    corners = axial.collections[0].get_paths()[0].vertices
    assert corners.min(axis=0).tolist() == [29.5, 19.5]
    assert corners.max(axis=0).tolist() == [49.5, 39.5]


def test_the_overlay_reads_only_the_box_around_the_masks(scan, mask):
    rows, columns = overlay_figure(scan, mask).axes[0].images[0].get_array().shape
    margin = 2 * figures.MARGIN_MM / 0.25
    assert (rows, columns) == (20 + margin, 20 + margin)


def test_the_scale_bar_is_as_long_as_it_says(scan, mask):
    axial = overlay_figure(scan, mask).axes[0]
    (label,) = (t.get_text() for t in axial.texts if "mm" in t.get_text())
    bar = axial.lines[0].get_xdata()
    assert (bar[1] - bar[0]) * 0.25 == pytest.approx(float(label.split()[0]))


def test_millimetres_are_square_in_every_panel(scan, mask):
    aspects = [panel.get_aspect() for panel in overlay_figure(scan, mask).axes]
    assert aspects[:3] == [1, 2, 2]  # slices are twice as thick as pixels are wide


def test_a_mask_without_voxels_cannot_be_drawn(scan, mask):
    with pytest.raises(EmptyMaskError, match="mask: no voxel"):
        overlay_figure(scan, Mask(mask.voxels * 0, mask.grid))


def test_the_profile_has_one_point_a_slice_and_a_gap_where_there_is_no_mask(scan, mask, expert):
    mask.voxels[2] = 0
    density, area = profile_figure(measure_against(scan, mask, expert)).axes
    theirs, ours = density.lines
    assert [line.get_color().lower() for line in (theirs, ours)] == [EXPERT, OURS]
    assert ours.get_xdata().tolist() == [4, 5, 6, 7, 8, 9]
    assert np.isnan(ours.get_ydata()).tolist() == [False, False, True, False, False, False]
    assert area.lines[1].get_ydata()[0] == pytest.approx(20 * 20 * 0.0625)


def test_figures_need_no_pyplot_and_become_png(scan, mask):
    assert figure_png(overlay_figure(scan, mask)).startswith(b"\x89PNG")


class _Page(HTMLParser):
    """The text, and every address that the page would load."""

    def __init__(self, html):
        super().__init__()
        self.text, self.loads, self.tags = "", [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [v for k, v in attrs if k in ("src", "href") and v]

    def handle_data(self, data):
        self.text += data


def record(**changes) -> dict:
    facts = {
        "scan": {"name": "x", "bytes": 12345, "sha256": "abc"},
        "expert": None,
        "method": "contour",
        "parameters": {"threshold_mg_cm3": 220.0, "seed_zyx": None},
        "slices": (4, 9),
        "post_processing": {"keep_largest": True},
        "seconds": {"read": 0.1, "segment": 2.0},
    }
    return run_record(**facts | changes)


def page(scan, comparison, record=None) -> _Page:
    return _Page(report_html(scan, comparison, b"one", b"two", record))


def test_the_page_says_the_density_with_its_unit_and_calibration(scan, mask):
    comparison = measure_against(scan, mask)
    text = page(scan, comparison, record()).text
    shown = re.search(r"Tt\.vBMD ± SD of the voxels([\d.]+) ± ([\d.]+) mg HA/cm³", text)
    assert float(shown[1]) == pytest.approx(comparison.measurement.tt_vbmd_mg_cm3, abs=0.05)
    assert float(shown[2]) == pytest.approx(comparison.measurement.tt_vbmd_sd_mg_cm3, abs=0.05)
    assert "slope 1, intercept 0 mg HA/cm³ (test)" in text
    assert "not for clinical use" in text


def test_the_page_says_how_the_mask_was_made(scan, mask):
    text = page(scan, measure_against(scan, mask), record()).text
    for words in ("4 to 9", "threshold 220 mg HA/cm³", "seed not set", "keep largest yes"):
        assert words in text
    assert "segment 2.0" in text
    assert "12,345 bytes, SHA-256 abc" in text
    assert re.search(r"numpy \d", text)


def test_without_a_slice_range_the_page_says_that_the_whole_scan_was_searched(scan, mask):
    text = page(scan, measure_against(scan, mask), record(slices=None)).text
    assert "whole scan, 0 to 19" in text


def test_the_page_compares_with_the_expert_only_when_there_is_one(scan, mask, expert):
    comparison = measure_against(scan, mask, expert)
    text = page(scan, comparison).text
    assert f"Dice{comparison.overlap.dice:.3f}" in text
    assert f"{comparison.difference_mg_cm3:+.1f}".replace("-", "−") in text
    assert "Dice" not in page(scan, measure_against(scan, mask)).text


def test_the_page_escapes_what_comes_from_files_and_names_no_patient(scan, mask):
    parsed = page(scan, measure_against(scan, mask), record())
    assert "x<b>&.isq" in parsed.text
    assert "b" not in parsed.tags
    assert "Jane" not in report_html(scan, measure_against(scan, mask), b"", b"", record())
    assert str(scan.path.parent) not in parsed.text


def test_the_page_loads_nothing_from_outside(scan, mask):
    parsed = page(scan, measure_against(scan, mask), record())
    assert len(parsed.loads) == 2
    assert all(address.startswith("data:image/png;base64,") for address in parsed.loads)
    assert not {"script", "link"} & set(parsed.tags)


def test_a_phantom_is_called_synthetic_and_a_person_is_not(scan, mask):
    comparison = measure_against(scan, mask)
    assert "Synthetic" not in page(scan, comparison, record()).text
    scan.header["Patient Name"] = "PHANTOM, NOT A PERSON"
    assert "Synthetic" in page(scan, comparison, record()).text
    assert "Synthetic" in page(scan, comparison).text


def test_the_page_says_side_motion_and_what_is_published(scan, mask):
    text = page(scan, measure_against(scan, mask), record(motion_grade=2)).text
    assert "Motiongrade 2 of 1 (none) to 5 (severe)" in text
    assert "Side of the handnot known" in text
    assert "Tt.vBMD 279 (SD 43, range 162 to 377) mg HA/cm³" in text
    assert "published: 33.5 with the 2D" in text
    assert "Motionnot graded" in page(scan, measure_against(scan, mask), record()).text


def test_the_page_says_what_the_network_was_trained_on_with_the_weights_hash(scan, mask):
    weights = {"file": "w.pt", "sha256": "f00d", "trained_on": "synthetic", "held_out_dice": 0.9}
    used = record(method_facts={"weights": weights, "side": "left"})
    text = page(scan, measure_against(scan, mask), used).text
    assert "w.pt, SHA-256 f00d" in text
    assert "Trained onsynthetic; Dice 0.900" in text
    assert "Side of the handleft" in text


def test_warnings_stand_on_the_page(scan, mask):
    mask.voxels[3] = 0
    comparison = measure_against(scan, mask)
    (warning,) = comparison.measurement.warnings
    assert warning in page(scan, comparison).text


def test_a_note_on_what_is_unlike_the_published_stands_apart_from_warnings(scan, mask):
    comparison = measure_against(scan, mask)
    said = page(scan, comparison)
    [area] = comparison.measurement.notes  # of a small block
    assert f"Note: {area}.".replace("mm2", "mm²") in said.text
    quiet = replace(comparison, measurement=replace(comparison.measurement, notes=[]))
    assert "Note:" not in page(scan, quiet).text
