"""Which rows of two columns can be used, and why the others cannot."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import ParameterError

_LARGEST = 1e30  # no measurement is larger; fourth powers of it, and of 1 / it, can be computed


class LeftOut(NamedTuple):
    """A row that was not used: its index from 0, and why."""

    row: int
    reason: str


class Pairs(NamedTuple):
    """The pairs that both have: ours, the reference, their rows; and what was left out."""

    ours: np.ndarray
    reference: np.ndarray
    rows: np.ndarray
    left_out: tuple[LeftOut, ...]


def pair_up(ours: Sequence, reference: Sequence) -> Pairs:
    """Keep the rows in which both columns hold a finite number.

    Parameters
    ----------
    ours, reference : sequence of float or None, length n
        None and NaN stand for a missing value.

    Raises
    ------
    ParameterError
        When the lengths differ, or a value is no number.
    """
    columns = {
        "ours": as_numbers(ours, "ours", len(reference)),
        "the reference": as_numbers(reference, "the reference", len(reference)),
    }
    reasons = [
        "; ".join(f"{name} {why}" for name, value in zip(columns, row, strict=True)
                  if (why := why_unusable(value)))
        for row in zip(*columns.values(), strict=True)
    ]  # fmt: skip
    used = np.array([i for i, reason in enumerate(reasons) if not reason], int)
    left_out = tuple(LeftOut(i, reason) for i, reason in enumerate(reasons) if reason)
    return Pairs(*(values[used] for values in columns.values()), used, left_out)


def as_numbers(values: Sequence, name: str, count: int) -> np.ndarray:
    """The values as floats, NaN for those missing; raises ParameterError as `pair_up`."""
    if len(values) != count:
        raise ParameterError(f"{name}: {len(values)} values where {count} are expected")
    return np.array([_number(value, name, i) for i, value in enumerate(values)], float)


def why_unusable(value: float) -> str:
    """Why a number cannot be used; "" when it can."""
    if math.isnan(value):
        return "is missing"
    if math.isinf(value):
        return "is not finite"
    if abs(value) > _LARGEST:
        return f"is beyond {_LARGEST:g}"
    return f"is nearer to 0 than {1 / _LARGEST:g}" if 0 < abs(value) < 1 / _LARGEST else ""


def _number(value, name: str, row: int) -> float:
    if value is None:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name}, row {row}: {value!r} is not a number") from error
