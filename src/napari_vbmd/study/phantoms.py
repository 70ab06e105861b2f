"""Digital hands as rows of a manifest: a scan that reads ``phantom:SEED`` is drawn, not read.

Such a row has a side, and the motion grade that the hand was drawn with; its mask is the digital
hand's own. Training never sees a hand of the tests' seeds. ``phantom:SEED.1``, ``phantom:SEED.2``
and so on are repeated scans: the same hand, taken out and put back.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import ParameterError
from ..phantom.drawing import SEEDS_FOR_TESTS, SEEDS_FOR_TRAINING
from ..phantom.scanner import draw_scanner
from ..scan import SIDES
from .manifest import Case

PREFIX = "phantom:"
_NAME = r"(?P<seed>[0-9]{1,9})(\.(?P<repeat>[1-9][0-9]{0,2}))?"
# Folle et al. 2021: scans of each motion grade, and the share of left hands
GRADES = {1: 195, 2: 70, 3: 276}
LEFT_SHARE = Fraction(24, 100)


@dataclass(frozen=True)
class PhantomRow:
    """One digital hand of a cohort."""

    seed: int
    side: str
    motion_grade: int

    def cells(self) -> dict[str, str]:
        """As a manifest writes it."""
        return {
            "scan": f"{PREFIX}{self.seed}",
            "side": self.side,
            "motion_grade": str(self.motion_grade),
        }


def is_phantom(case: Case) -> bool:
    """Whether a row names a digital hand."""
    return case.key.startswith(PREFIX)


def phantom_seed(case: Case) -> int:
    """The seed of a digital hand.

    Raises
    ------
    ParameterError
        When it is no number, or nobody's seed.
    """
    text = case.key.removeprefix(PREFIX)
    parts = re.fullmatch(_NAME, text)
    seed = int(parts["seed"]) if parts else -1
    if seed not in SEEDS_FOR_TRAINING and seed not in SEEDS_FOR_TESTS:
        raise ParameterError(
            f"“{case.key}”: a digital hand is {PREFIX}0 to {PREFIX}{SEEDS_FOR_TRAINING[-1]} for "
            f"training, or to {PREFIX}{SEEDS_FOR_TESTS[-1]} for tests; {PREFIX}7.1 is the first "
            "repeated scan of one"
        )
    return seed


def phantom_repeat(case: Case) -> int:
    """Which scan of the hand: 0 the first, 1 and on the repeated ones."""
    parts = re.fullmatch(_NAME, case.key.removeprefix(PREFIX))
    return int(parts["repeat"] or 0) if parts else 0


def is_for_tests(case: Case) -> bool:
    """Whether a digital hand must not be trained on; raises as `phantom_seed`."""
    return phantom_seed(case) in SEEDS_FOR_TESTS


def phantom_problems(case: Case) -> Iterator[str]:
    """What is wrong with a row that names a digital hand."""
    try:
        phantom_seed(case)
    except ParameterError as error:
        yield str(error)
    if case.side not in SIDES:
        yield f"“{case.key}”: a digital hand is drawn as left or right; give the side"
    if case.mask or case.expert or case.slices:
        yield f"“{case.key}”: a digital hand has its own mask and slices; leave these cells empty"


def draw_phantoms(count: int, first_seed: int) -> list[PhantomRow]:
    """Hands whose motion grades and sides are shared out as published.

    The digital hand has the motion that its seed gives it (`Scanner.motion_grade`); so seeds are
    gone through from the first one on, and a hand is passed over when its grade is full.

    Parameters
    ----------
    count : int
        Of hands.
    first_seed : int

    Raises
    ------
    ParameterError
        When the count is not above zero, or the seeds of this kind do not suffice.
    """
    if count < 1:
        raise ParameterError(f"{count} hands: give a number above zero")
    kind = SEEDS_FOR_TESTS if first_seed in SEEDS_FOR_TESTS else SEEDS_FOR_TRAINING
    wanted = dict(zip(GRADES, shared_out(count, list(GRADES.values())), strict=True))
    found: list[tuple[int, int]] = []
    for seed in kind[kind.index(first_seed) :] if first_seed in kind else ():
        if len(found) == count:
            break
        grade = draw_scanner(seed).motion_grade
        if wanted[grade]:
            wanted[grade] -= 1
            found.append((seed, grade))
    if len(found) < count:
        raise ParameterError(
            f"{count} hands from seed {first_seed} on: seeds are {SEEDS_FOR_TRAINING[0]} to "
            f"{SEEDS_FOR_TRAINING[-1]} for training and {SEEDS_FOR_TESTS[0]} to "
            f"{SEEDS_FOR_TESTS[-1]} for tests, and not that many are left there"
        )
    order = np.random.default_rng(first_seed).permutation(count)
    left = set(order[: round(LEFT_SHARE * count)].tolist())
    return [
        PhantomRow(seed, "left" if place in left else "right", grade)
        for place, (seed, grade) in enumerate(found)
    ]


def shared_out(count: int, shares: list[int]) -> list[int]:
    """Whole numbers in the ratio of the shares, which add up to the count (largest remainders)."""
    exact = [Fraction(count * share, sum(shares)) for share in shares]
    whole = [int(part) for part in exact]
    by_remainder = sorted(range(len(shares)), key=lambda k: whole[k] - exact[k])
    for k in by_remainder[: count - sum(whole)]:
        whole[k] += 1
    return whole
