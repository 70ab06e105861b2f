"""Every label of a mask split into its compartments, with one picture of all."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..grid import place
from ..scan import Mask, Scan
from .compartments import Compartments, split_and_measure
from .densitometry import Progress


class LabelSplits(NamedTuple):
    """Compartments by label, and where they are.

    ``mask`` has the labels `compartments.CORTICAL` and `TRABECULAR` on the grid of the mask that
    was split; None where no label could be.
    """

    numbers: dict[int, Compartments]
    mask: Mask | None


def split_labels(
    scan: Scan,
    mask: Mask,
    labels: Sequence[int],
    trabecular: Mask | None = None,
    progress: Progress | None = None,
) -> LabelSplits:
    """Split and measure these labels of a mask; parameters and errors as `split_and_measure`."""
    progress = progress or (lambda fraction, message: None)
    numbers, voxels = {}, np.zeros(mask.voxels.shape, np.uint8)
    for i, label in enumerate(labels):
        of = f"label {label}, " if len(labels) > 1 else ""

        def told(fraction, message, i=i, of=of):
            progress((i + fraction) / len(labels), f"{of}{message}")

        numbers[label], split = split_and_measure(scan, mask, label, trabecular, progress=told)
        if split is not None:
            at = place(split.grid, mask.grid)
            voxels[at.target_box] |= split.voxels[at.source_box]
    return LabelSplits(numbers, Mask(voxels, mask.grid) if voxels.any() else None)
