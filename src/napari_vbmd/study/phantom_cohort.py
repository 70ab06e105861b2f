"""A manifest of synthetic hands."""

from pathlib import Path

from ..phantom.drawing import SEEDS_FOR_TESTS
from .cohort import SHARES, SPLIT_COLUMN, SPLITS, TEST
from .csv_rows import write_rows
from .phantoms import draw_phantoms, shared_out


def write_phantom_cohort(path: str | Path, count: int, first_seed: int = 0) -> dict[str, int]:
    """Write a manifest of digital hands, 70 % of them for training, 20 % to validate, 10 % to test.

    Sides and motion grades are those of Folle et al. 2021: 24 % left hands, grades 1, 2 and 3 as
    195 : 70 : 276. The validation's seeds follow the training's; the test's begin at 100000 plus
    the first seed. With a first seed of the tests all hands are for the test.

    Parameters
    ----------
    path : path
        Ending in .csv.
    count : int
    first_seed : int

    Returns
    -------
    dict of str to int
        Hands of each part.

    Raises
    ------
    ParameterError
        When there are not that many seeds.
    WriteError
    """
    counts = dict(zip(SPLITS, shared_out(count, list(SHARES)), strict=True))
    if first_seed in SEEDS_FOR_TESTS:
        counts = dict.fromkeys(SPLITS, 0) | {TEST: count}
    rows, seed = [], first_seed
    for part, size in counts.items():
        if part == TEST and seed not in SEEDS_FOR_TESTS:
            seed = SEEDS_FOR_TESTS[0] + first_seed
        hands = draw_phantoms(size, seed) if size else []
        rows += [hand.cells() | {SPLIT_COLUMN: part} for hand in hands]
        seed = hands[-1].seed + 1 if hands else seed
    write_rows(path, ["scan", "side", "motion_grade", SPLIT_COLUMN], rows)
    return counts
