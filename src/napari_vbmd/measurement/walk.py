"""The way of a person who corrects slices, the worst first.

Each slice comes once a round. One that was corrected differs less than others at once; but it was
seen, and so were those before it: the next is the worst that was not seen yet, by what the slices
differ by now, never the one that happens to follow the corrected one. Back leads along the way that
was gone, and forward again along it.
"""

from collections.abc import Sequence


class Walk:
    """Remembers which slices were seen, and in what order."""

    def __init__(self):
        self._trail: list[int] = []
        self._at = -1
        self._seen: set[int] = set()

    def next(self, worst_first: Sequence[int]) -> int | None:
        """The slice to go to.

        Parameters
        ----------
        worst_first : sequence of int
            The slices that differ now.

        Returns
        -------
        int or None
            None when none differs.
        """
        if self._at + 1 < len(self._trail):
            self._at += 1
            return self._trail[self._at]
        unseen = [z for z in worst_first if z not in self._seen]
        if not unseen:  # all were seen: another round
            self._seen.clear()
            unseen = list(worst_first)
        if not unseen:
            return None
        self._seen.add(unseen[0])
        self._trail.append(unseen[0])
        self._at = len(self._trail) - 1
        return unseen[0]

    def back(self) -> int | None:
        """The slice before this one on the way; None at its beginning."""
        if self._at < 1:
            return None
        self._at -= 1
        return self._trail[self._at]

    def left(self, worst_first: Sequence[int]) -> int:
        """How many of the slices that differ now were not seen in this round."""
        return sum(z not in self._seen for z in worst_first)
