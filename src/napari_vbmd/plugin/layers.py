"""The only place that turns scans and masks into layers, and layers back.

Every layer made here carries its scale in mm, `units`, `axis_labels`, a translation from its
position, and one namespaced ``metadata["vbmd"]``.
"""

import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from ..calibration import Calibration
from ..errors import GridMismatchError, MissingCalibrationError, ParameterError
from ..grid import Grid, place
from ..scan import Mask, Scan

LayerData = tuple[Any, dict, str]

# Okabe and Ito's colours, safe for colour-blind eyes
OURS, EXPERT, AGREEMENT = "#56B4E9", "#E69F00", "#999999"
_FURTHER = ("#CC79A7", "#009E73", "#F0E442", "#D55E00", "#0072B2")  # of labels 2 to 6
_OTHER_LABELS = _FURTHER[0]
BONE_WINDOW_MG_CM3 = (-200.0, 1200.0)  # from fat to dense cortical bone
LARGEST_VOLUME = 2**27  # voxels; a larger single level can exhaust graphics memory in 3D
_PYRAMID_STEP = 4
_UNITS = ("mm", "mm", "mm")
_AXES = ("z", "y", "x")
_previews = weakref.WeakSet()  # not in the metadata: napari's copy of a layer takes that along
_references = weakref.WeakSet()
_MM_PER = {"millimeter": 1.0, "micrometer": 1e-3, "centimeter": 10.0, "meter": 1e3}


def scan_to_layer(scan: Scan) -> LayerData:
    """A scan as an image layer; a large one gets a coarse level for overview and 3D."""
    pyramid = scan.voxels.size > LARGEST_VOLUME
    step = (slice(None, None, _PYRAMID_STEP),) * 3
    kwargs = {
        **_geometry(scan.grid),
        "name": scan.name,
        "colormap": "gray",
        "contrast_limits": _contrast(scan),
        "metadata": {"vbmd": {"scan": scan}},
    }
    if not pyramid:
        return scan.voxels, kwargs, "image"
    return [scan.voxels, scan.voxels[step]], {**kwargs, "multiscale": True}, "image"


def mask_to_layer(mask: Mask, name: str, color: str = OURS, about: dict | None = None) -> LayerData:
    """A mask as a labels layer, shown as an outline.

    Parameters
    ----------
    mask : Mask
    name : str
    color : str
        Of label 1.
    about : dict, optional
        Where the mask comes from; kept in the metadata and written into an AIM's log.
    """
    colors = color, *_FURTHER
    kwargs = {
        **_geometry(mask.grid),
        "name": name,
        "colormap": DirectLabelColormap(
            color_dict={None: _OTHER_LABELS, 0: "transparent", **dict(enumerate(colors, 1))}
        ),
        "metadata": {"vbmd": {"about": about or {}, "format": mask.format}},
    }
    return mask.voxels, kwargs, "labels"


def add_mask(
    viewer,
    mask: Mask,
    name: str,
    color: str = OURS,
    about: dict | None = None,
    preview: bool = False,
    reference: bool = False,
    shown: bool = True,
) -> Labels:
    """Add a mask to a viewer, as an outline with label 1 ready for painting.

    A preview is neither painted on nor offered as a mask; a copy of it is an ordinary mask. A
    reference is not painted on, and offered, but no dock takes it for the mask by itself. Drawing
    takes time; whoever wants to choose when, says ``shown=False`` and calls `show`.
    """
    voxels, kwargs, _ = mask_to_layer(mask, name, color, about)
    layer = Labels(voxels, **kwargs, visible=False)  # so that its outline is drawn once, not thrice
    as_outline(layer)
    if preview:
        as_preview(layer)
    if reference:
        _references.add(layer)
    layer.editable = not (preview or reference)
    viewer.add_layer(layer)  # gives a dock a proxy of the layer: not what pickers and events hold
    if shown:
        show(viewer, layer)
    return layer


def show(viewer, layer: Labels) -> None:
    """Show a mask; one that is too large for 3D stays hidden there: `solid_view` has a surface."""
    layer.visible = viewer.dims.ndisplay == 2 or not is_too_large(layer.data)


def as_preview(layer: Layer) -> None:
    """Mark a layer that only shows something: no dock offers it."""
    _previews.add(layer)


def is_preview(layer: Layer) -> bool:
    """Whether a layer only shows something: what a step would give, where two masks differ."""
    return layer in _previews


def is_reference(layer: Layer) -> bool:
    """Whether a layer is there to be compared with."""
    return layer in _references


def is_too_large(voxels: np.ndarray) -> bool:
    """Whether a mask's volume could exhaust graphics memory in 3D."""
    return voxels.ndim == 3 and voxels.size > LARGEST_VOLUME


def shows_only(data) -> bool:
    """Whether an array is that of a layer that only shows something."""
    return any(layer.data is data for layer in _previews)


def as_outline(layer: Labels) -> None:
    """Show a labels layer as an outline; `add_labels` and readers cannot ask for one."""
    width = outline_width(layer)
    if layer.contour != width:  # else it would be drawn once more
        layer.contour = width
    layer.opacity = 0.9


def outline_width(layer: Labels) -> int:
    """How many voxels wide an outline is, so that it is seen from afar too."""
    return 1 if max(layer.data.shape[-2:]) < 512 else 2


def scan_of(layer: Layer) -> Scan:
    """The scan that an image layer shows, with the geometry that the layer has now.

    An image that another plugin opened counts as native and uncalibrated.

    Raises
    ------
    ParameterError
        When the layer is no 3D image in millimetres on straight axes.
    """
    if not isinstance(layer, Image) or layer.rgb:
        raise ParameterError(f"{layer.name}: not a scan; choose a grey image layer")
    voxels = layer.data[0] if layer.multiscale else layer.data
    grid = _grid(layer, voxels.shape)
    known = layer.metadata.get("vbmd", {}).get("scan")
    if known is None:
        return Scan(voxels, "native", grid, Calibration(), path=_path(layer))
    return replace(known, voxels=voxels, grid=grid)


def mask_of(layer: Layer) -> Mask:
    """The mask in a labels layer.

    Raises
    ------
    ParameterError
        When the layer is no 3D labels layer on straight axes, or holds labels above 255.
    """
    grid, labels = grid_of(layer), np.asarray(layer.data)
    if labels.dtype not in (np.uint8, bool):  # napari's own new labels are int32
        if labels.size and not 0 <= labels.min() <= labels.max() <= 255:
            raise ParameterError(f"{layer.name}: labels from 0 to 255 can be measured, no others")
        labels = labels.astype(np.uint8)
    made = layer.metadata.get("vbmd", {}).get("format", "layer")  # what its position counts from
    return Mask(labels.view(np.uint8), grid, path=Path(layer.name), format=made)


def grid_of(layer: Layer) -> Grid:
    """The grid of a labels layer, without a look at its voxels; raises as `mask_of`."""
    if not isinstance(layer, Labels):
        raise ParameterError(f"{layer.name}: not a mask; choose a labels layer")
    if layer.multiscale:
        raise ParameterError(f"{layer.name}: a multiscale labels layer cannot be measured")
    return _grid(layer, layer.data.shape)


def placed_on(mask: Mask, scan: Scan) -> Mask:
    """The mask on the scan's whole grid, so that it can be painted anywhere."""
    return Mask(place(mask.grid, scan.grid).paste(mask.voxels), scan.grid)


def set_calibration(layer: Image, unit: str, **constants) -> Scan:
    """Give an image layer the unit and constants that the user typed in."""
    scan = scan_of(layer).calibrated(unit=unit, **constants)
    layer.metadata = {**layer.metadata, "vbmd": {"scan": scan}}
    layer.contrast_limits = _contrast(scan)
    return scan


def show_window(layer: Image, low_mg_cm3: float, high_mg_cm3: float) -> None:
    """Set contrast limits in mg HA/cm3; raises MissingCalibrationError without a calibration."""
    back = scan_of(layer).density_transform().inverse()
    layer.contrast_limits = (back(low_mg_cm3), back(high_mg_cm3))


def _geometry(grid: Grid) -> dict:
    return {
        "scale": grid.spacing_mm,
        "translate": grid.origin_mm,
        "units": _UNITS,
        "axis_labels": _AXES,
    }


def _grid(layer: Layer, shape: tuple[int, ...]) -> Grid:
    if len(shape) != 3:
        raise ParameterError(f"{layer.name}: {len(shape)} dimensions; a volume (z, y, x) is needed")
    straight = np.allclose(layer.affine.affine_matrix, np.eye(len(shape) + 1))
    if not straight or not np.allclose(layer.rotate, np.eye(3)) or np.any(layer.shear):
        raise GridMismatchError(f"{layer.name}: rotated or sheared; resample it to straight axes")
    factors = [_mm_per_unit(layer, str(unit)) for unit in layer.units]
    spacing = [float(s) * f for s, f in zip(layer.scale, factors, strict=True)]
    origin = [float(t) * f for t, f in zip(layer.translate, factors, strict=True)]
    # rounding undoes origin = position * spacing, so that a mask saved again has whole positions
    position = [o / s for o, s in zip(origin, spacing, strict=True)]
    return Grid(shape, spacing, [round(p) if abs(p - round(p)) < 1e-6 else p for p in position])


def _mm_per_unit(layer: Layer, unit: str) -> float:
    if unit in _MM_PER:
        return _MM_PER[unit]
    if unit == "pixel" and not np.allclose(layer.scale, 1):
        return 1.0  # a scale was set and its unit forgotten: everything here is in mm
    raise ParameterError(
        f"{layer.name}: its voxel size is not known; set layer.scale in mm and layer.units to 'mm'"
    )


def _contrast(scan: Scan) -> tuple[float, float]:
    """Limits that show bone: a fixed density window, or the spread of a few slices."""
    try:
        back = scan.density_transform().inverse()
        return back(BONE_WINDOW_MG_CM3[0]), back(BONE_WINDOW_MG_CM3[1])
    except MissingCalibrationError:
        pass
    step = max(1, scan.grid.shape[0] // 5)
    sample = np.asarray(scan.voxels[step // 2 :: step, ::4, ::4], dtype=np.float32)
    low, high = np.nanpercentile(sample, (1, 99.9)) if sample.size else (0.0, 1.0)
    low = float(low) if np.isfinite(low) else 0.0
    return (low, float(high)) if high > low else (low, low + 1.0)


def _path(layer: Layer):
    return Path(layer.source.path) if layer.source.path else Path(layer.name)
