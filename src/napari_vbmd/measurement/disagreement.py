"""Where a mask and an expert's differ, voxel by voxel and by slices, kept up to date with edits.

Slices are ordered by how much they differ: by the area that only one of the two masks holds [mm2],
the larger first; of equal ones the lower slice comes first. Slices where nothing differs are not in
the order, and so are those that are empty in both.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ..errors import EmptyMaskError
from ..grid import Grid, Placement, place
from ..morphology import bounding_box
from ..scan import Mask

Progress = Callable[[float, str], None]
Box = tuple[slice, slice, slice]

MINE, EXPERT, BOTH = 1, 2, 3  # voxels of `Disagreement.voxels`; 3 is 1 and 2 together
_ROOM_MM = 2.0  # about both masks, so that painting beside them seldom needs a larger box


@dataclass(frozen=True)
class SliceAgreement:
    """How two masks agree in one slice.

    Attributes
    ----------
    slice : int
        Of the scan.
    dice : float or None
        None where both are empty.
    only_mine_mm2, only_expert_mm2 : float
        Area that one of them holds and the other does not [mm2].
    """

    slice: int
    dice: float | None
    only_mine_mm2: float
    only_expert_mm2: float

    @property
    def differs_mm2(self) -> float:
        """Area that only one of them holds [mm2]."""
        return self.only_mine_mm2 + self.only_expert_mm2


class Disagreement:
    """A mask that is edited beside an expert's.

    Only the box that holds both is kept, and grows when the mask is painted beyond it.

    Parameters
    ----------
    labels : ndarray of whole numbers, shape (z, y, x)
        The array that is edited; kept, never written to. Any value other than zero is inside.
    grid : Grid
        Of `labels`.
    expert : Mask
        Left as it is.
    whole : Grid
        Of the scan, on which both are placed.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Raises
    ------
    GridMismatchError
        When a mask cannot be placed on the scan.
    EmptyMaskError
        When the expert's has no voxel on it.
    """

    def __init__(
        self,
        labels: np.ndarray,
        grid: Grid,
        expert: Mask,
        whole: Grid,
        progress: Progress | None = None,
    ):
        self._labels, self._whole = labels, whole
        self._placed: Placement = place(grid, whole)
        self._counts = np.zeros((whole.shape[0], 4), np.int64)
        self._begin(expert, progress or (lambda fraction, message: None))

    @property
    def slices(self) -> int:
        """Of the mask's array."""
        return len(self._labels)

    @property
    def voxels(self) -> np.ndarray:
        """1 where only the mask is, 2 where only the expert's is, 3 where both are; on `grid`."""
        return self._voxels

    @property
    def grid(self) -> Grid:
        """Of `voxels`: a box of the scan's."""
        return self._whole.box(self._box)

    def follows(self, labels: np.ndarray) -> bool:
        """Take up an array that stands in the place of the old one; False where it cannot."""
        if labels.shape != self._labels.shape:
            return False
        self._labels = labels
        return True

    def look(self, slices: Iterable[int]) -> bool:
        """Bring these slices of the array up to date; True when any changed."""
        changed = [self._look_at(z) for z in slices]  # all of them, not up to the first
        return any(changed)

    def at(self, z: int) -> SliceAgreement:
        """How the two agree in a slice of the scan."""
        _, mine, expert, both = self._counts[z].tolist()
        held = mine + expert + 2 * both
        pixel = self._whole.pixel_area_mm2
        return SliceAgreement(z, 2 * both / held if held else None, mine * pixel, expert * pixel)

    def per_slice(self) -> list[SliceAgreement]:
        """All slices of the scan in which either mask is."""
        return [self.at(z) for z in np.flatnonzero(self._counts.any(axis=1)).tolist()]

    def worst_first(self) -> list[int]:
        """Slices of the scan in which the masks differ, the most first."""
        differ = self._counts[:, MINE] + self._counts[:, EXPERT]
        order = np.argsort(-differ, kind="stable")
        return order[: np.count_nonzero(differ)].tolist()

    def ends(self) -> list[tuple[int, int, int]]:
        """Slices at either end of the bone that only one mask reaches.

        Returns
        -------
        list of (first, last, MINE or EXPERT)
            Two at most; not worth a look each, but all at once.
        """
        mine = np.flatnonzero(self._counts[:, MINE] + self._counts[:, BOTH])
        theirs = np.flatnonzero(self._counts[:, EXPERT] + self._counts[:, BOTH])
        if not mine.size or not theirs.size:
            return []
        (a, b), (c, d) = (mine[[0, -1]].tolist(), theirs[[0, -1]].tolist())
        low = (min(a, c), max(a, c) - 1, MINE if a < c else EXPERT)
        high = (min(b, d) + 1, max(b, d), MINE if b > d else EXPERT)
        return [(first, last, whose) for first, last, whose in (low, high) if first <= last]

    def _begin(self, expert: Mask, progress: Progress) -> None:
        placed = place(expert.grid, self._whole)
        theirs = expert.voxels[placed.source_box]
        progress(0.0, "looking for both masks")
        box = bounding_box(theirs)
        if box is None:
            raise EmptyMaskError(f"{expert.name}: no voxel lies on the scan; nothing to compare")
        at = _moved(box, placed.target_box)
        mine = bounding_box(self._labels[self._placed.source_box])
        self._box = at if mine is None else _around(at, _moved(mine, self._placed.target_box))
        self._box = self._with_room(self._box)
        self._voxels = np.zeros(_shape(self._box), np.uint8)
        self._voxels[_within(at, self._box)] = np.where(theirs[box] != 0, np.uint8(EXPERT), 0)
        for done, z in enumerate(range(self._box[0].start, self._box[0].stop), 1):
            self._counts[z] = _counted(self._voxels[z - self._box[0].start])
            progress(done / len(self._voxels), f"comparing, slice {done} of {len(self._voxels)}")
        self.look(self._in_array(range(self._box[0].start, self._box[0].stop)))

    def _in_array(self, slices: Iterable[int]) -> list[int]:
        """Slices of the scan as slices of the mask's array, where it has them."""
        to = self._placed.source_box[0].start - self._placed.target_box[0].start
        return [z + to for z in slices if 0 <= z + to < self.slices]

    def _look_at(self, z: int) -> bool:
        source, target = self._placed.source_box, self._placed.target_box
        if not source[0].start <= z < source[0].stop:
            return False
        mine = self._labels[z][source[1:]]
        z = z - source[0].start + target[0].start
        known = self._box[0].start <= z < self._box[0].stop
        part = _within(_overlap(self._box[1:], target[1:]), target[1:])
        held = np.count_nonzero(mine)
        if not known and not held:
            return False
        if not known or held != np.count_nonzero(mine[part]):
            self._grow(_moved(bounding_box(mine[None]), (slice(z, z + 1), *target[1:])))
            part = _within(_overlap(self._box[1:], target[1:]), target[1:])
        old = self._voxels[z - self._box[0].start]
        new = old & EXPERT
        new[_within(_overlap(self._box[1:], target[1:]), self._box[1:])] |= mine[part] != 0
        if np.array_equal(new, old):
            return False
        old[:] = new
        self._counts[z] = _counted(new)
        return True

    def _grow(self, more: Box) -> None:
        """Widen the box so that it holds more."""
        old, self._box = self._box, self._with_room(_around(self._box, more), self._box)
        voxels = np.zeros(_shape(self._box), np.uint8)
        voxels[_within(old, self._box)] = self._voxels
        self._voxels = voxels

    def _with_room(self, box: Box, as_before: Box | None = None) -> Box:
        """The box with room on the sides that are new, within the scan."""
        room = [int(np.ceil(_ROOM_MM / mm)) for mm in self._whole.spacing_mm]
        before = as_before or (None,) * 3
        return tuple(
            slice(
                b.start if o and b.start == o.start else max(0, b.start - r),
                b.stop if o and b.stop == o.stop else min(n, b.stop + r),
            )
            for b, o, r, n in zip(box, before, room, self._whole.shape, strict=True)
        )


def _counted(voxels: np.ndarray) -> np.ndarray:
    """Voxels of each kind; none of kind 0 are needed."""
    counts = np.bincount(voxels.ravel(), minlength=4)
    counts[0] = 0
    return counts


def _moved(box, by) -> Box:
    return tuple(
        slice(b.start + to.start, b.stop + to.start) for b, to in zip(box, by, strict=True)
    )


def _within(box, outer):
    """A box as a part of another that holds it."""
    return tuple(
        slice(b.start - o.start, b.stop - o.start) for b, o in zip(box, outer, strict=True)
    )


def _around(one: Box, two: Box) -> Box:
    return tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, two, strict=True)
    )


def _overlap(one, two):
    return tuple(
        slice(max(a.start, b.start), max(a.start, b.start, min(a.stop, b.stop)))
        for a, b in zip(one, two, strict=True)
    )


def _shape(box: Box) -> list[int]:
    return [side.stop - side.start for side in box]
