"""Steps on the mask of a layer, worked out in the bone's box and away from the window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from napari.layers import Labels

from ..errors import ParameterError
from ..grid import Grid, place
from ..morphology import bounding_box
from ..scan import Mask

Progress = Callable[[float, str], None]
Step = tuple[str, Callable[[np.ndarray, tuple, Progress], np.ndarray]]


@dataclass(frozen=True)
class Edit:
    """A box of a mask before and after some steps.

    Attributes
    ----------
    box : tuple of slice
        Of the mask's array.
    before, after : array of uint8
        The labels in it.
    grid : Grid
        Of the whole mask.
    names : str
        The steps, for people to read.
    """

    box: tuple[slice, slice, slice]
    before: np.ndarray
    after: np.ndarray
    grid: Grid
    names: str

    def changed(self) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Indices in the whole array of the voxels that changed, and their new labels."""
        inside = np.nonzero(self.before != self.after)
        indices = tuple(i + s.start for i, s in zip(inside, self.box, strict=True))
        return indices, self.after[inside]

    def fits(self, labels: np.ndarray) -> bool:
        """Whether an array, shape of the mask, is still what the steps were worked out for."""
        same = np.array_equal(labels[self.box], self.before)
        # as many voxels in all as in the box: none has come beside it
        return same and np.count_nonzero(labels) == np.count_nonzero(self.before)

    def placed(self, grid: Grid | None = None) -> Mask:
        """The result on a grid: the mask's own, or that of a scan."""
        box = Mask(self.after, self.grid.box(self.box))
        target = grid or self.grid
        return Mask(place(box.grid, target).paste(box.voxels), target)

    def describe(self) -> str:
        """What changed, in voxels and mm3."""
        count = int(np.count_nonzero(self.before != self.after))
        if not count:
            return f"{self.names}: nothing to change."
        gained = int(np.count_nonzero(self.after)) - int(np.count_nonzero(self.before))
        volume = gained * self.grid.voxel_volume_mm3
        return f"{self.names}: {count:,} voxels changed, {gained:+,} in all, {volume:+.2f} mm³."


def apply_to(layer: Labels, done: Edit) -> bool:
    """Make an edit in its layer, as one undo step; False when the mask was changed meanwhile."""
    if not done.fits(layer.data):
        return False
    indices, labels = done.changed()
    if labels.size:
        layer.data_setitem(indices, labels)
    return True


def room(mask: Mask, margin: int | Sequence[int] = 1) -> tuple[slice, slice, slice]:
    """The box that steps work in, with a margin in voxels.

    With an empty slice at either end: without one the bone would seem to go on there.

    Raises
    ------
    ParameterError
        When the mask is empty.
    """
    box = bounding_box(mask.voxels, margin)
    if box is None:
        raise ParameterError(f"{mask.name}: the mask is empty; segment or paint the bone first")
    return box[0], _mirrored_span(box[1], mask.voxels.shape[1]), box[2]


def edit(
    mask: Mask,
    selected: int,
    applied: Sequence[Step],
    progress: Progress,
    box: tuple[slice, slice, slice] | None = None,
) -> Edit:
    """Do the steps on one label; other labels stay, and are not painted over.

    Parameters
    ----------
    mask : Mask
        Left as it is.
    selected : int
        The label meant, where there are several.
    applied : sequence of (name, function)
        Functions of an array (0 and the label), its spacing [mm], and progress.
    progress : callable
    box : tuple of slice, optional
        To work in; that of `room` by default.

    Raises
    ------
    ParameterError
        When the mask is empty, or holds several labels and none of them is selected.
    """
    box = room(mask) if box is None else box
    before = mask.voxels[box].copy()
    label = label_of(mask.name, before, selected)
    others = (before != 0) & (before != label)
    after = np.where(others, np.uint8(0), before)
    for done, (name, apply) in enumerate(applied):
        progress(done / len(applied), name)
        after = apply(after, mask.grid.spacing_mm, progress)
    after = np.where(others, before, after)
    names = ", ".join(name for name, _ in applied) or "placing on the scan"
    return Edit(box, before, after, mask.grid, names)


def _mirrored_span(span: slice, length: int) -> slice:
    """The span widened until it lies symmetrically: a flip within it is a flip of the whole."""
    start = min(span.start, length - span.stop)
    return slice(start, length - start)


def label_of(name: str, voxels: np.ndarray, selected: int) -> int:
    """The one label of a mask, or the one selected where there are several."""
    present = np.flatnonzero(np.bincount(voxels.ravel(), minlength=256)[1:]) + 1
    if len(present) == 1:
        return int(present[0])
    if selected in present:
        return selected
    listed = ", ".join(map(str, present))
    raise ParameterError(f"{name}: holds labels {listed}; select one of them in the layer")
