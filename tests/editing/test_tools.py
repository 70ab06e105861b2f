"""Every tool keeps the shape, leaves its mask alone, and does what its name says."""

import numpy as np
import pytest

from napari_vbmd.editing.tools import TOOLS, Setting, clip

SPACING = (0.2, 0.1, 0.1)
BY_NAME = {tool.name: tool for tool in TOOLS}


@pytest.fixture
def mask() -> np.ndarray:
    """A block with a hole, and a crumb beside it."""
    mask = np.zeros((9, 40, 40), np.uint8)
    mask[2:7, 8:28, 8:28] = 1
    mask[3, 15:18, 15:18] = 0
    mask[2:4, 34, 34] = 1
    return mask


@pytest.fixture
def setting(mask) -> Setting:
    solid = np.zeros(mask.shape)
    solid[:, 8:28, 8:28] = 800
    return Setting(SPACING, 0.1, 0.4, lambda z, part: solid[z][part])


def run(name: str, mask, setting, slicewise=False) -> np.ndarray:
    return BY_NAME[name].run(mask, setting, slicewise, None)


@pytest.mark.parametrize("tool", [t for t in TOOLS if t.in_slice], ids=lambda t: t.name)
@pytest.mark.parametrize("slicewise", [True, False])
def test_a_tool_keeps_the_shape_and_leaves_its_mask_alone(mask, setting, tool, slicewise):
    mask.setflags(write=False)
    given = mask[3:4] if slicewise else mask
    assert tool.run(given, setting, slicewise, None).shape == given.shape


def test_names_and_keys_are_told_apart_and_explained():
    assert len({tool.name for tool in TOOLS}) == len({tool.key for tool in TOOLS}) == len(TOOLS)
    assert all(tool.summary and tool.key.startswith("Shift-") for tool in TOOLS)


@pytest.mark.parametrize("slicewise", [True, False])
def test_fill_holes(mask, setting, slicewise):
    filled = run("Fill holes", mask, setting, slicewise)
    assert filled[3, 16, 16]
    assert np.count_nonzero(filled) == np.count_nonzero(mask) + 9


def test_keep_largest(mask, setting):
    kept = run("Keep largest", mask, setting)
    assert not kept[:, 34, 34].any()
    assert np.count_nonzero(kept) == np.count_nonzero(mask) - 2


def test_grow_and_shrink_are_in_millimetres(mask, setting):
    grown = run("Grow", mask, setting, slicewise=True)
    assert grown[2, 7, 15]
    assert not grown[2, 6, 15]
    assert not grown[1].any()
    shrunk = run("Shrink", mask, setting, slicewise=True)
    assert shrunk[2, 9, 15]
    assert not shrunk[2, 8, 15]


def test_smooth_takes_the_crumb_and_keeps_the_block(mask, setting):
    smooth = run("Smooth", mask, setting, slicewise=True)
    assert not smooth[:, 34, 34].any()
    assert smooth[2, 10:26, 10:26].all()


def test_snap_finds_the_edge_of_the_scan(mask, setting):
    rough = np.zeros_like(mask)
    rough[4, 10:30, 10:30] = 1
    found = run("Snap to edge", rough, setting, slicewise=True)
    overlap = np.count_nonzero(found[4, 8:28, 8:28])
    assert 2 * overlap / (np.count_nonzero(found) + 400) > 0.97


def test_fill_between_slices(mask, setting):
    sparse = np.zeros_like(mask)
    sparse[[1, 7], 5:20, 5:20] = 1
    filled = run("Fill between slices", sparse, setting)
    assert filled[1:8, 5:20, 5:20].all()
    assert np.count_nonzero(filled) == 7 * 15 * 15


def test_clip_keeps_the_range_inclusive(mask):
    assert np.flatnonzero(clip(mask, 3, 5).any(axis=(1, 2))).tolist() == [3, 4, 5]
    assert mask[2].any()
