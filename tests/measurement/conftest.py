"""Published data that statistics of agreement are checked against."""

from typing import NamedTuple

import numpy as np
import pytest


class PeakFlow(NamedTuple):
    """Peak expiratory flow [l/min] of 17 people by two meters, twice each: (people, repeats)."""

    large: np.ndarray
    mini: np.ndarray


@pytest.fixture
def peak_flow() -> PeakFlow:
    """Bland and Altman 1986, Lancet 327:307, table 1."""
    large = """494 490 395 397 516 512 434 401 476 470 557 611 413 415 442 431 650 638 433 429
        417 420 656 633 267 275 478 492 178 165 423 372 427 421"""
    mini = """512 525 430 415 520 508 428 444 500 500 600 625 364 460 380 390 658 642 445 432
        432 420 626 605 260 227 477 467 259 268 350 370 451 443"""
    return PeakFlow(*(np.array(text.split(), float).reshape(17, 2) for text in (large, mini)))


@pytest.fixture
def study() -> tuple[np.ndarray, np.ndarray]:
    """Thirty densities, ours and the expert's [mg HA/cm3], with moments like the paper's."""
    rng = np.random.default_rng(7)
    expert = rng.normal(279.3, 42.8, 30)
    return expert - 14 + rng.normal(0, 3.5, 30), expert
