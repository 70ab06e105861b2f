"""Figures as matplotlib objects, without pyplot: no window, no global state, safe in a thread."""

import io
import math

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..errors import EmptyMaskError
from ..grid import Grid, place
from ..mapped import in_slabs
from ..measurement.comparison import Comparison
from ..morphology import bounding_box
from ..scan import Mask, Scan
from .curve_figures import draw_small
from .solid import solid_view

# Blue and orange after Okabe and Ito, told apart by every eye; the blue lighter, to show on grey
OURS, EXPERT = "#2E9BFF", "#E69F00"
WINDOW = (-200.0, 1000.0)  # black and white of the overlay [mg HA/cm3]
MARGIN_MM = 2.5
_WIDTH_IN, _HIGHEST_IN = 7.3, 4.6  # what fits an A4 page
_DPI = 200
_COMPRESSION = 3  # of a PNG: as small as the usual 6, in half the time
_BARS_MM = (1, 2, 5, 10, 20, 50)
_VIEWS = (  # axis that is cut, axes of the picture (down, right), and what to call it
    (0, (1, 2), "Axial, slice {}"),
    (1, (0, 2), "Longitudinal, y {}"),
    (2, (0, 1), "Longitudinal, x {}"),
)


def overlay_figure(scan: Scan, mask: Mask, expert: Mask | None = None) -> Figure:
    """Three orthogonal slices through the mask's centre with the outlines, and the mask in 3D.

    Parameters
    ----------
    scan : Scan
        Only the three slices, cut to the masks' box and a margin, are read.
    mask : Mask
        Outlined in blue.
    expert : Mask, optional
        Outlined in orange, beneath.

    Returns
    -------
    Figure
        All panels at one scale, with a bar in mm.

    Raises
    ------
    EmptyMaskError, GridMismatchError, MissingCalibrationError
    """
    box, centre = _view_of(scan, mask, expert)
    solid, pixel_mm = _solid_of(mask, scan.grid)
    size_mm = [(b.stop - b.start) * s for b, s in zip(box, scan.grid.spacing_mm, strict=True)]
    widths = [*(size_mm[right] for _, (_, right), _ in _VIEWS), solid.shape[1] * pixel_mm]
    height = max(*(size_mm[down] for _, (down, _), _ in _VIEWS), solid.shape[0] * pixel_mm)
    inches = min(_HIGHEST_IN, (_WIDTH_IN - 0.9) * height / sum(widths)) + 0.6
    figure = Figure(figsize=(_WIDTH_IN, inches), dpi=_DPI)
    FigureCanvasAgg(figure)
    rows = {"left": 0.005, "right": 0.995, "top": 1 - 0.25 / inches, "bottom": 0.33 / inches}
    all_axes = figure.subplots(1, 4, gridspec_kw={"width_ratios": widths, "wspace": 0.16, **rows})
    for axes, view in zip(all_axes[:3], _VIEWS, strict=True):
        _draw_view(axes, view, scan, mask, expert, box, centre)
    _draw_solid(all_axes[3], solid)
    _scale_bar(all_axes[0], scan.grid, box)
    _key(figure, expert is not None)
    return figure


def profile_figure(comparison: Comparison) -> Figure:
    """Density and area of every slice along z, the expert's in orange; then ROC, and precision.

    Parameters
    ----------
    comparison : Comparison
        A slice without mask is a gap in the line. Only with its `curves` there are four panels,
        else two.
    """
    figure = Figure(figsize=(_WIDTH_IN, 1.75), dpi=_DPI)
    FigureCanvasAgg(figure)
    counted = comparison.curves if comparison.auc is not None else None
    places = {"left": 0.07, "right": 0.985, "bottom": 0.235, "top": 0.97}
    if counted:
        places |= {"top": 0.9, "wspace": 0.5}
    panels = figure.subplots(1, 4 if counted else 2, gridspec_kw=places)
    if counted:
        draw_small(*panels[2:], counted, OURS)
    for axes, key, label in zip(
        panels[:2],
        ("tt_vbmd_mg_cm3", "area_mm2"),
        ("Tt.vBMD [mg HA/cm³]", "Area [mm²]"),
        strict=True,
    ):
        if comparison.expert is not None:
            axes.plot(*_along_z(comparison.expert.per_slice, key), color=EXPERT, lw=2.4)
        axes.plot(*_along_z(comparison.measurement.per_slice, key), color=OURS, lw=1.2)
        axes.set(xlabel="Slice", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(4 if counted else "auto", integer=True))
    for axes in panels:
        axes.set_xlabel(axes.get_xlabel(), fontsize=7.5, labelpad=1)
        axes.set_ylabel(axes.get_ylabel(), fontsize=7.5, labelpad=2)
        axes.tick_params(labelsize=7, length=2)
        axes.grid(alpha=0.25, lw=0.5)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def figure_png(figure: Figure) -> bytes:
    """The figure as a PNG."""
    buffer = io.BytesIO()
    how = {"compress_level": _COMPRESSION}
    figure.savefig(buffer, format="png", metadata={"Software": None}, pil_kwargs=how)
    return buffer.getvalue()


def _view_of(scan, mask, expert) -> tuple[tuple[slice, ...], tuple[int, int, int]]:
    """The box to show, around both masks, and the voxel to cut at; both in the scan's index."""
    boxes = [_box_on(scan.grid, m) for m in (mask, expert) if m is not None]
    if boxes[0] is None:
        raise EmptyMaskError(f"{mask.name}: no voxel lies on the scan; there is nothing to draw")
    z = (boxes[0][0].start + boxes[0][0].stop - 1) // 2
    filled = np.argwhere(_section(mask, scan.grid, 0, z))
    if not len(filled):  # a mask of two pieces may be empty half-way
        filled = np.array([[(b.start + b.stop - 1) / 2 for b in boxes[0][1:]]])
    y, x = (round(c) for c in filled.mean(axis=0))
    shown = []
    for sides in zip(*(b for b in boxes if b), strict=True):
        shown.append((min(s.start for s in sides), max(s.stop for s in sides)))
    box = tuple(
        slice(max(0, first - margin), min(n, stop + margin))
        for (first, stop), n, margin in zip(
            shown, scan.grid.shape, _margins(scan.grid), strict=True
        )
    )
    return box, (z, y, x)


def _margins(grid: Grid) -> list[int]:
    return [math.ceil(MARGIN_MM / s) for s in grid.spacing_mm]


def _box_on(grid: Grid, mask: Mask) -> tuple[slice, ...] | None:
    """The box of the mask's voxels that lie on the grid, in the grid's index."""
    placement = place(mask.grid, grid)
    box = bounding_box(mask.voxels[placement.source_box])
    return box and tuple(
        slice(b.start + t.start, b.stop + t.start)
        for b, t in zip(box, placement.target_box, strict=True)
    )


def _section(mask: Mask, grid: Grid, axis: int, index: int) -> np.ndarray:
    """One slice of the mask across an axis, on the whole of the grid's slice."""
    placement = place(mask.grid, grid)
    section = np.zeros([n for i, n in enumerate(grid.shape) if i != axis], bool)
    across = placement.target_box[axis]
    if across.start <= index < across.stop:
        at = index - across.start + placement.source_box[axis].start
        box = [at if i == axis else b for i, b in enumerate(placement.source_box)]
        target = tuple(b for i, b in enumerate(placement.target_box) if i != axis)
        section[target] = mask.voxels[tuple(box)] != 0
    return section


def _draw_view(axes, view, scan, mask, expert, box, centre) -> None:
    axis, (down, right), title = view
    cut = tuple(centre[axis] if i == axis else b for i, b in enumerate(box))
    density = scan.density_transform()(_read(scan.voxels, cut))
    rows, columns = box[down], box[right]
    spacing = scan.grid.spacing_mm
    axes.imshow(
        density,
        cmap="gray",
        vmin=WINDOW[0],
        vmax=WINDOW[1],
        extent=(columns.start - 0.5, columns.stop - 0.5, rows.stop - 0.5, rows.start - 0.5),
        aspect=spacing[down] / spacing[right],
    )
    for drawn, colour, width in ((expert, EXPERT, 1.9), (mask, OURS, 0.9)):
        section = drawn and _section(drawn, scan.grid, axis, centre[axis])[rows, columns]
        if section is not None and section.any():
            ys, xs = np.mgrid[rows, columns]
            axes.contour(xs, ys, section, levels=[0.5], colors=[colour], linewidths=width)
    if axis != 0:  # where the axial slice lies
        axes.axhline(centre[0], color="white", lw=0.5, ls=(0, (4, 4)), alpha=0.7)
    axes.set_anchor("N")
    axes.set_title(title.format(centre[axis]), fontsize=8, pad=3)
    axes.set_xticks([])
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.tick_params(labelsize=6, length=2, pad=1)
    if axis == 0:
        axes.set_yticks([])


def _read(voxels: np.ndarray, cut: tuple[int | slice, ...]) -> np.ndarray:
    """A section as float32; one along z touches every slice, so these are read in turn."""
    deep, *plane = cut
    if not isinstance(deep, slice):
        return np.array(voxels[cut], np.float32)
    each = in_slabs(voxels, range(deep.start, deep.stop))
    return np.array([np.array(voxels[z, *plane], np.float32) for z in each])


def _solid_of(mask: Mask, grid: Grid) -> tuple[np.ndarray, float]:
    """The mask's part on the grid, seen in 3D."""
    voxels = mask.voxels[place(mask.grid, grid).source_box]
    return solid_view(voxels[bounding_box(voxels)], grid.spacing_mm)


def _draw_solid(axes, solid: np.ndarray) -> None:
    axes.imshow(solid, cmap="gray", vmin=0, vmax=1)
    axes.set_anchor("N")
    axes.set_title("3D view of the mask", fontsize=8, pad=3)
    axes.set_axis_off()


def _scale_bar(axes, grid: Grid, box) -> None:
    """A bar about a fifth of the axial picture wide."""
    spacing = grid.spacing_mm[2]
    wide_mm = (box[2].stop - box[2].start) * spacing
    length = min(_BARS_MM, key=lambda mm: abs(mm - wide_mm / 5))
    left = box[2].start + 0.05 * wide_mm / spacing
    low = box[1].stop - 0.05 * (box[1].stop - box[1].start)
    axes.plot([left, left + length / spacing], [low, low], color="white", lw=2)
    axes.annotate(
        f"{length} mm",
        (left + length / spacing / 2, low),
        (0, 2),
        textcoords="offset points",
        color="white",
        fontsize=7,
        ha="center",
        va="bottom",
    )


def _key(figure: Figure, with_expert: bool) -> None:
    """What the colours and the greys mean, below the pictures."""
    lines = [Line2D([], [], color=OURS, lw=1.5, label="mask")]
    if with_expert:
        lines.append(Line2D([], [], color=EXPERT, lw=2.2, label="expert"))
    figure.legend(handles=lines, loc="lower left", ncols=2, fontsize=7.5, frameon=False)
    low, high = WINDOW
    text = f"black {low:g}, white {high:g} mg HA/cm³; dashed: the axial slice"
    figure.text(0.99, 0.025, text, ha="right", va="bottom", fontsize=7, color="#444")


def _along_z(per_slice: list[dict], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Slice numbers without a gap, and the values; NaN, which is not drawn, where there is none."""
    known = {entry["slice"]: entry[key] for entry in per_slice}
    slices = np.arange(min(known), max(known) + 1)
    return slices, np.array([known.get(int(z), np.nan) for z in slices], float)
