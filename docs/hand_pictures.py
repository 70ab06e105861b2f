"""The pictures of docs/digital-hand.md."""

from pathlib import Path

import numpy as np
from hand_structure import box_about_second, read_joint
from matplotlib.figure import Figure
from PIL import Image

from napari_vbmd.phantom.drawing import hand
from napari_vbmd.phantom.hand import render
from napari_vbmd.phantom.slabs import SIZES

IMAGES = Path(__file__).parent / "images"
EXPERT = "#E69F00"
WINDOW = {"cmap": "gray", "vmin": -200, "vmax": 1200, "interpolation": "nearest"}  # mg HA/cm3
SEED = 100_004  # that of the sample
BESIDE_SEED = 100_052  # as little bone as the real joint has
FROM_TIP_MM = (-1.2, 0.7, 4.0)
PANEL_MM = 19.0
GREYS = 24


def draw_slices() -> None:
    """The second metacarpal from before its head to its shaft, with the expert's outline."""
    spacing, shape, freedom = SIZES["full"]
    first, last = (round(z / 0.082 + (shape[0] - 1) / 2) for z in hand(SEED, freedom).range_mm)
    box = box_about_second(SEED, spacing, shape, freedom, 10.0, "left")
    slices = [first - 10, first + 12, first + 36, (first + last) // 2, last - 30, last]
    made = render(SEED, spacing, shape, side="left", slices=slices, box=box)
    figure = Figure(figsize=(9, 6.5), dpi=85, layout="constrained")
    for axes, z, plane, label in zip(
        figure.subplots(2, 3).flat, slices, _density(made), made.label, strict=True
    ):
        _show(axes, plane.T, f"slice {z}", label.T)
    _save(figure, "hand_slices.png")


def draw_cuts() -> None:
    """A slice of the whole hand, and two cuts along the second metacarpal."""
    spacing, shape, freedom = SIZES["full"]
    rows, columns = box_about_second(SEED, spacing, shape, freedom, 0.1, "left")
    kw = {"side": "left", "freedom": freedom}
    whole = render(SEED, spacing, shape, slices=[100], **kw)
    inside = (slice(370, 1330), slice(580, 1080))
    frontal = render(SEED, spacing, shape, box=(inside[0], columns), **kw)
    sagittal = render(SEED, spacing, shape, box=(rows, inside[1]), **kw)
    figure = Figure(figsize=(9, 7), dpi=85, layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=(420, 165))
    crop = (0, *inside)
    _show(upper.subplots(), _density(whole)[crop].T, "slice 100", whole.label[crop].T)
    left, right = lower.subplots(1, 2, width_ratios=(960, 500))
    middle = frontal.voxels.shape[2] // 2
    _show(left, _density(frontal)[:, :, middle], "frontal cut", frontal.label[:, :, middle])
    middle = sagittal.voxels.shape[1] // 2
    _show(right, _density(sagittal)[:, middle], "sagittal cut", sagittal.label[:, middle])
    _save(figure, "hand_cuts.png")


def draw_beside_joint(folder: Path) -> None:
    """Slices at equal distances from the head's tip: the digital hand above, the joint below."""
    joint = _joint_slices(folder)
    figure = Figure(figsize=(9.6, 6.8), dpi=100, layout="constrained")
    rows = zip(figure.subplots(2, 3), ("digital hand", "real joint"), joint, strict=True)
    for row, what, planes in rows:
        for axes, mm, plane in zip(row, FROM_TIP_MM, planes, strict=True):
            where = f"{abs(mm):.1f} mm {'before' if mm < 0 else 'below'} the head's tip"
            _show(axes, plane, f"{what}, {where}")
    _save(figure, "hand_beside_joint.png")


def _joint_slices(folder: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Slices of the digital hand and of the joint, of equal voxels [mg HA/cm3]."""
    scan, head = read_joint(folder)
    step = scan.grid.spacing_mm[0]
    tip = int(np.flatnonzero(head.any(axis=(1, 2)))[0])
    gain, offset = scan.density_transform()
    reach = round(PANEL_MM / 2 / step)
    part = tuple(slice(n // 2 - reach, n // 2 + reach) for n in scan.grid.shape[1:])
    real = [gain * scan.voxels[tip + round(mm / step)][part] + offset for mm in FROM_TIP_MM]

    shape, freedom = (round(20 / step), *[round(86 / step)] * 2), 0.1
    tip_mm = hand(BESIDE_SEED, freedom).range_mm[0]
    slices = [round((tip_mm + mm) / step + (shape[0] - 1) / 2) for mm in FROM_TIP_MM]
    spacing = (step,) * 3
    box = box_about_second(BESIDE_SEED, spacing, shape, freedom, PANEL_MM / 2)
    made = render(
        BESIDE_SEED, spacing, shape, fingertips="low", slices=slices, box=box, freedom=freedom
    )
    return [plane.T for plane in _density(made)], real


def _density(made) -> np.ndarray:
    return made.calibration.linear("native", "density")(made.voxels.astype(np.float32))


def _show(axes, plane, title: str, label=None) -> None:
    axes.imshow(plane, **WINDOW)
    if label is not None and label.any():
        axes.contour(label, levels=[0.5], colors=EXPERT, linewidths=0.9)
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()


def _save(figure: Figure, name: str) -> None:
    """Write a picture of few greys: noise makes others too large for a repository."""
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / name)
    palette = Image.new("P", (1, 1))
    greys = [[round(255 * k / (GREYS - 1))] * 3 for k in range(GREYS)]
    orange = [int(EXPERT[k : k + 2], 16) for k in (1, 3, 5)]
    palette.putpalette(np.array([*greys, orange]).ravel().tolist())
    with Image.open(IMAGES / name) as picture:
        few = picture.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
    few.save(IMAGES / name, optimize=True)
    print(f"{name}: {(IMAGES / name).stat().st_size // 1000} kB")
