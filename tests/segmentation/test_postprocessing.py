import numpy as np
import pytest

from napari_vbmd.errors import ParameterError
from napari_vbmd.segmentation.postprocessing import (
    close_holes,
    close_holes_geodesic,
    drop_slices,
    flip_y,
    keep_largest,
    restore_slices,
)

SPACING = (0.082, 0.082, 0.082)
SHAPE = (16, 64, 60)


def bone(shape=SHAPE, radius=22.0) -> np.ndarray:
    """A filled shaft, cut by the first and the last slice, that widens along z."""
    z, y, x = np.ogrid[tuple(slice(n) for n in shape)]
    width = radius + z / 5
    return (np.hypot((y - shape[1] / 2) / 1.15, x - shape[2] / 2) < width).astype(np.uint8)


def hollow(filled: np.ndarray, wall=5.0, channels=True) -> np.ndarray:
    """The shell of `bone`, with channels through its wall as vessels make them."""
    shell = filled & ~bone(filled.shape, 22.0 - wall)
    if channels:
        middle = filled.shape[1] // 2
        shell[6:9, middle : middle + 4, filled.shape[2] // 2 :] = 0
        shell[11:13, : filled.shape[1] // 2, 30:34] = 0
    return shell


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero((a > 0) & (b > 0)) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.fixture
def filled() -> np.ndarray:
    return bone()


@pytest.fixture
def shell(filled) -> np.ndarray:
    return hollow(filled)


def test_the_bone_of_these_tests_has_open_channels(filled, shell):
    assert dice(close_holes(shell, SPACING, 0), filled) < 0.95, "filling alone does not close it"
    assert shell[0].any()
    assert shell[-1].any()


# mirror and slices


def test_flip_undoes_itself():
    mask = np.random.default_rng(0).integers(0, 3, (3, 5, 7)).astype(np.uint8)
    assert not np.array_equal(flip_y(mask), mask)
    assert np.array_equal(flip_y(flip_y(mask)), mask)


def test_flip_turns_y_and_only_y():
    mask = np.zeros((3, 5, 7), np.uint8)
    mask[1, 0, 2] = 4
    assert flip_y(mask)[1, 4, 2] == 4


def test_slices_put_back_undo_slices_dropped():
    mask = np.zeros((9, 5, 7), np.uint8)
    mask[2:6] = np.random.default_rng(0).integers(0, 3, (4, 5, 7))
    part = drop_slices(mask, 2, 5)
    assert len(part) == 4  # inclusive
    restored = restore_slices(part, 2, 9)
    assert restored.dtype == mask.dtype
    assert np.array_equal(restored, mask)


def test_no_slice_dropped_and_one_slice_kept():
    mask = np.random.default_rng(0).integers(0, 3, (4, 5, 7)).astype(np.uint8)
    assert np.array_equal(restore_slices(drop_slices(mask, 0, 3), 0, 4), mask)
    assert np.array_equal(drop_slices(mask, 3, 3), mask[3:])


def test_slices_put_back_are_a_copy():
    part = np.ones((2, 3, 3), np.uint8)
    restore_slices(part, 0, 2)[:] = 0
    assert part.all()


@pytest.mark.parametrize(("first", "last"), [(-1, 2), (3, 2), (0, 4)])
def test_slices_that_are_not_there_cannot_be_dropped(first, last):
    with pytest.raises(ParameterError, match=f"{first}:{last}"):
        drop_slices(np.zeros((4, 2, 2), np.uint8), first, last)


@pytest.mark.parametrize(("first", "count"), [(-1, 9), (3, 4), (0, 1)])
def test_slices_that_do_not_fit_cannot_be_put_back(first, count):
    with pytest.raises(ParameterError, match="do not fit"):
        restore_slices(np.zeros((2, 2, 2), np.uint8), first, count)


# pieces


def test_the_largest_piece_stays_as_it_is(filled):
    mask = filled.copy()
    mask[3:5, 1:3, 1:3] = 1
    assert np.array_equal(keep_largest(mask), filled)


def test_one_piece_is_kept_whole(shell):
    assert np.array_equal(keep_largest(shell), shell)


# closing


def test_a_hollow_bone_with_channels_becomes_solid(filled, shell):
    closed = close_holes(shell, SPACING)
    assert dice(closed, filled) > 0.999
    assert closed[:, 32, 30].all(), "also where the first and last slice cut it open"


def test_closing_only_adds(shell):
    for radius in (0, 0.2, 0.5, 1.0):
        closed = close_holes(shell, SPACING, radius)
        assert np.all(closed[shell > 0])


@pytest.mark.parametrize("radius", [0, 0.2, 0.5])
def test_a_box_stays_as_it_is(radius):
    box = np.zeros(SHAPE, np.uint8)
    box[3:12, 20:45, 10:40] = 1
    assert np.array_equal(close_holes(box, SPACING, radius), box)


def test_a_filled_bone_stays_as_it_is(filled):
    assert np.array_equal(close_holes(filled, SPACING), filled)


def test_a_bone_is_not_longer_after_closing():
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:12] = hollow(bone())[4:12]
    closed = close_holes(mask, SPACING)
    assert np.flatnonzero(closed.any((1, 2))).tolist() == list(range(4, 12))


def test_bones_of_any_length_are_closed_to_their_first_and_last_slice(filled, shell):
    for stop in (1, 2, len(shell)):
        assert dice(close_holes(shell[:stop], SPACING), filled[:stop]) > 0.999


def test_filling_alone_leaves_open_channels_open(shell):
    filled_only = close_holes(shell, SPACING, 0)
    assert filled_only[0, 32, 30] == 1
    assert filled_only[7, 32, 30] == 0
    assert close_holes(shell, SPACING, 0.5)[7, 32, 30] == 1


def test_the_radius_is_in_millimetres_along_each_axis():
    """A slot of three voxels: 0.3 mm wide along x, 1.5 mm where voxels are 0.5 mm."""
    mask = np.zeros((3, 40, 40), np.uint8)
    mask[:, 10:30, 10:30] = 1
    mask[:, 10:25, 18:21] = 0
    assert close_holes(mask, (0.1, 0.1, 0.1), 0.25)[1, 15, 19] == 1
    assert close_holes(mask, (0.1, 0.1, 0.5), 0.25)[1, 15, 19] == 0


def test_a_gap_wider_than_twice_the_radius_stays_open():
    mask = np.zeros((3, 60, 60), np.uint8)
    mask[:, 10:50, 10:50] = 1
    mask[:, 10:40, 20:40] = 0
    closed = close_holes(mask, SPACING, 0.5)
    assert closed[1, 12, 30] == 0


def test_a_negative_radius_is_refused(shell):
    with pytest.raises(ParameterError, match="negative"):
        close_holes(shell, SPACING, -0.1)


# the geodesic contour


@pytest.fixture(scope="module")
def by_contour() -> tuple[np.ndarray, np.ndarray]:
    """A hollow bone and what the contour makes of it."""
    shell = hollow(bone())
    return shell, close_holes_geodesic(shell)


def test_the_contour_gives_nearly_the_same_as_closing(by_contour, filled):
    shell, closed = by_contour
    assert dice(closed, close_holes(shell, SPACING)) > 0.99
    assert dice(closed, filled) > 0.99


def test_the_contour_reaches_the_first_and_the_last_slice(by_contour, filled):
    """Where the scan cuts the bone open the contour must not crawl into it."""
    _, closed = by_contour
    for z in (0, 1, -2, -1):
        assert dice(closed[z], filled[z]) > 0.97


def test_the_contour_rests_on_the_outside_of_a_thin_shell_too(filled):
    """Not beyond it, where the slopes of two near edges add up."""
    assert dice(close_holes_geodesic(hollow(filled, wall=3)), filled) > 0.985


def test_the_contour_closes_a_channel_in_the_last_slice(filled, shell):
    assert shell[7, 32, 45:].sum() < shell[5, 32, 45:].sum(), "a channel begins there"
    assert dice(close_holes_geodesic(shell[7:])[0], filled[7]) > 0.99


def test_the_contour_only_adds(by_contour):
    shell, closed = by_contour
    assert np.all(closed[shell > 0])


def test_the_contour_keeps_the_mask_s_own_ends():
    mask = np.zeros((24, 64, 60), np.uint8)
    mask[5:17] = bone()[:12]
    closed = close_holes_geodesic(mask)
    assert np.flatnonzero(closed.any((1, 2))).tolist() == list(range(5, 17))


def test_the_contour_does_not_depend_on_the_air_around(by_contour):
    """The published start box did: it followed the array, not the bone."""
    shell, closed = by_contour
    margin = ((0, 0), (7, 31), (40, 2))
    assert np.array_equal(close_holes_geodesic(np.pad(shell, margin)), np.pad(closed, margin))


def test_a_filled_bone_stays_nearly_as_it_is_under_the_contour(filled):
    assert dice(close_holes_geodesic(filled), filled) > 0.995


def test_the_contour_can_be_cancelled(shell):
    seen = []

    def stop(done, message):
        seen.append(done)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        close_holes_geodesic(shell, progress=stop)
    assert len(seen) == 1
    assert 0 < seen[0] < 1


def test_the_contour_reports_progress_and_stops_when_it_rests(shell):
    seen = []
    close_holes_geodesic(shell, progress=lambda done, message: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] < 0.5, "of 400 iterations"


# what all of them hold to

OPERATIONS = {
    "largest": keep_largest,
    "close": lambda mask: close_holes(mask, SPACING),
    "geodesic": close_holes_geodesic,
}


@pytest.fixture(params=OPERATIONS.values(), ids=OPERATIONS.keys())
def operation(request):
    return request.param


def test_several_labels_are_refused(operation, shell):
    mask = shell.copy()
    mask[0, 0, 0] = 2
    with pytest.raises(ParameterError, match="several labels"):
        operation(mask)


@pytest.mark.parametrize("label", [1, 5, 127, 255])
def test_the_label_keeps_its_value(operation, label):
    mask = hollow(bone()[:3]) * np.uint8(label)
    result = operation(mask)
    assert result.dtype == np.uint8
    assert np.unique(result).tolist() == [0, label]


def test_a_mask_of_bool_becomes_label_one(operation):
    mask = hollow(bone()[:3])
    assert np.array_equal(operation(mask > 0), operation(mask))


def test_the_mask_given_is_not_changed(operation, shell):
    before = shell.copy()
    shell.setflags(write=False)
    result = operation(shell)
    assert np.array_equal(shell, before)
    assert not np.shares_memory(result, shell)


def test_an_empty_mask_stays_empty(operation):
    assert not operation(np.zeros(SHAPE, np.uint8)).any()
