"""Digital hands as rows of a manifest."""

from collections import Counter

import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.phantom.scanner import draw_scanner
from napari_vbmd.study.phantoms import (
    draw_phantoms,
    is_for_tests,
    is_phantom,
    phantom_problems,
    phantom_seed,
    shared_out,
)


@pytest.fixture
def case_of(manifest_of):
    return lambda **cells: manifest_of(cells).cases[0]


def test_a_row_names_a_digital_hand_by_its_seed(case_of):
    case = case_of(scan="phantom:42", side="left")
    assert is_phantom(case)
    assert phantom_seed(case) == 42
    assert not is_for_tests(case)
    assert is_for_tests(case_of(scan="phantom:100042", side="left"))
    assert not is_phantom(case_of(scan="folder/phantom.isq"))
    assert not list(phantom_problems(case))


@pytest.mark.parametrize("scan", ["phantom:", "phantom:x", "phantom:-1", "phantom:200000"])
def test_a_seed_that_is_nobodys_is_refused(case_of, scan):
    with pytest.raises(ParameterError, match="to phantom:199999 for tests"):
        phantom_seed(case_of(scan=scan, side="left"))


def test_a_digital_hand_needs_a_side_and_has_a_mask_of_its_own(case_of):
    assert "give the side" in " ".join(phantom_problems(case_of(scan="phantom:1")))
    for cells in ({"mask": "m.aim"}, {"expert": "e.aim"}, {"first_slice": 1, "last_slice": 2}):
        case = case_of(scan="phantom:1", side="left", **cells)
        assert "leave these cells empty" in " ".join(phantom_problems(case))


def test_hands_are_shared_out_as_published():
    hands = draw_phantoms(54, 0)
    assert Counter(hand.motion_grade for hand in hands) == {1: 19, 2: 7, 3: 28}
    assert Counter(hand.side for hand in hands) == {"left": 13, "right": 41}
    assert len({hand.seed for hand in hands}) == 54
    assert all(draw_scanner(hand.seed).motion_grade == hand.motion_grade for hand in hands)


def test_the_same_first_seed_gives_the_same_hands():
    assert draw_phantoms(9, 500) == draw_phantoms(9, 500)
    assert draw_phantoms(9, 500) != draw_phantoms(9, 501)


def test_hands_for_training_are_never_taken_from_the_tests_seeds():
    with pytest.raises(ParameterError, match="not that many are left"):
        draw_phantoms(60, 99_990)
    assert all(hand.seed >= 100_000 for hand in draw_phantoms(5, 100_000))
    for count, seed in ((0, 0), (3, 200_000), (3, -1)):
        with pytest.raises(ParameterError):
            draw_phantoms(count, seed)


@pytest.mark.parametrize(
    ("count", "shares", "expected"),
    [(10, [70, 20, 10], [7, 2, 1]), (1, [1, 1, 1], [1, 0, 0]), (5, [7, 2, 0], [4, 1, 0])],
)
def test_whole_numbers_in_the_ratio_of_the_shares(count, shares, expected):
    assert shared_out(count, shares) == expected
