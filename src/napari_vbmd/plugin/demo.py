"""The window that `napari-vbmd demo --viewer` opens."""

from pathlib import Path

import napari

from ..io.files import read_mask, read_scan
from .layers import EXPERT, OURS, add_mask, scan_to_layer
from .parts import PLUGIN
from .status import watch


def show(scan_path: Path, mask_path: Path, expert_path: Path | None = None) -> None:
    """Open a scan with its masks and the docks Measure and Segment; returns when it is closed."""
    viewer = napari.Viewer(title="napari-vbmd demo")
    fill(viewer, scan_path, mask_path, expert_path)
    napari.run()


def fill(viewer, scan_path: Path, mask_path: Path, expert_path: Path | None = None) -> None:
    """Put a scan and its masks into a viewer, and measure them."""
    watch(viewer)
    voxels, kwargs, _ = scan_to_layer(read_scan(scan_path))
    scan_layer = viewer.add_image(voxels, **kwargs)
    expert = None
    if expert_path is not None:
        expert = add_mask(viewer, read_mask(expert_path), "expert", EXPERT)
    mask = add_mask(viewer, read_mask(mask_path), f"{scan_layer.name} [mask]", OURS)
    viewer.window.add_plugin_dock_widget(PLUGIN, "Segment")
    _, measure = viewer.window.add_plugin_dock_widget(PLUGIN, "Measure", tabify=True)
    measure.mask.pick(mask)
    measure.expert.pick(expert)
    measure.run()
