"""Sample data in napari's File menu."""

import napari

from ..io.files import read_mask, read_scan
from ..phantom.sample import Sample, sample_paths
from .layers import EXPERT, LayerData, mask_to_layer, scan_to_layer
from .status import watch


def phantom_hand() -> list[LayerData]:
    """The synthetic left hand with its expert mask."""
    return _layers("hand")


def phantom_bone() -> list[LayerData]:
    """The synthetic bone with its expert mask."""
    return _layers("bone")


def _layers(sample: Sample) -> list[LayerData]:
    watch(napari.current_viewer())
    paths = sample_paths(sample=sample)
    scan, expert = read_scan(paths.scan), read_mask(paths.expert)
    return [
        scan_to_layer(scan),
        mask_to_layer(expert, "expert (synthetic)", EXPERT, {"file": expert.name}),
    ]
