"""From a scan to a mask: a method, and what is done to its mask afterwards."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from .. import provenance
from ..grid import place
from ..scan import Mask, Scan
from ..segmentation.methods import Segmentation, segment
from ..segmentation.postprocessing import CLOSING_MM, close_holes, keep_largest
from .stages import Stages


@dataclass(frozen=True)
class PostProcessing:
    """What is done to a mask after a method made it.

    Parameters
    ----------
    keep_largest : bool
        Keep the piece with the most voxels.
    close_holes : bool
        Close gaps and fill what is then enclosed.
    closing_mm : float
        Radius of the closing ball [mm].
    """

    keep_largest: bool = True
    close_holes: bool = True
    closing_mm: float = CLOSING_MM


def make_mask(
    scan: Scan,
    method: str = "contour",
    parameters: Any = None,
    slices: tuple[int, int] | None = None,
    post_processing: PostProcessing | None = None,
    stages: Stages | None = None,
) -> tuple[Segmentation, dict[str, Any]]:
    """Segment and post-process.

    Returns
    -------
    segmentation : Segmentation
        Its mask lies on a box of the scan's grid.
    changes : dict
        The steps taken, and the voxels that they added and removed.
    """
    steps, stages = post_processing or PostProcessing(), stages or Stages()
    with stages.stage("segment") as within:
        segmentation = segment(scan, method, parameters, slices, within)
    with stages.stage("post-process"):
        before = _with_room(segmentation.mask, scan, slices)
        voxels = before.voxels
        if steps.keep_largest:
            voxels = keep_largest(voxels)
        if steps.close_holes:
            voxels = close_holes(voxels, scan.grid.spacing_mm, steps.closing_mm)
        changes = asdict(steps) | {
            "voxels_added": int(np.count_nonzero((voxels != 0) & (before.voxels == 0))),
            "voxels_removed": int(np.count_nonzero((voxels == 0) & (before.voxels != 0))),
        }
    return replace(segmentation, mask=replace(before, voxels=voxels)), changes


def mask_log(scan: Scan, segmentation: Segmentation) -> dict[str, str]:
    """Entries for the processing log of a mask's AIM."""
    first_last, weights = segmentation.slices, segmentation.facts.get("weights")
    return {
        "Original file": scan.name,
        "Created by": f"napari-vbmd {provenance.software_versions()['napari-vbmd']}",
        "Method": segmentation.method,
        "Parameters": json.dumps(segmentation.parameters),
        **({"Weights": f"{weights['file']} {weights['sha256']}"} if weights else {}),
        "Slices": f"{first_last[0]} {first_last[1]}" if first_last else "whole scan",
    }


def _with_room(mask: Mask, scan: Scan, slices: tuple[int, int] | None) -> Mask:
    """The mask with an empty slice at each end where it ends within the slices looked at.

    Where it reaches the last of them the bone goes on, and closing treats it so.
    """
    z, y, x = place(mask.grid, scan.grid).target_box
    first, last = slices or (0, scan.grid.shape[0] - 1)
    z = slice(max(first, z.start - 1), min(last, z.stop) + 1)
    grid = scan.grid.box((z, y, x))
    return replace(mask, voxels=place(mask.grid, grid).paste(mask.voxels), grid=grid)
