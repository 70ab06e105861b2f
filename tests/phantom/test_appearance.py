"""What is seen in the noise-free scan at the scanner's own voxel: struts, joint, erosions."""

import numpy as np
import pytest
from scipy import ndimage

from napari_vbmd.phantom.drawing import hand
from napari_vbmd.phantom.hand import render
from napari_vbmd.phantom.rays import draw_rays

MM = 0.082
FULL = (240, 1536, 1536)
BONE = 320.0  # mg HA/cm3, as HR-pQCT software parts struts from marrow


def around(seed, along_mm, half_mm):
    """Densities in a cube about a place on the axis of the second metacarpal."""
    drawn = hand(seed)
    place = drawn.pose.scan(*drawn.second.ray.in_hand(along_mm))
    middle = [round(c / MM + (n - 1) / 2) for c, n in zip(place, FULL, strict=True)]
    reach = round(half_mm / MM)
    assert reach <= middle[0] < FULL[0] - reach
    z, *box = (slice(m - reach, m + reach + 1) for m in middle)
    made = render(
        seed, (MM,) * 3, FULL, fingertips="low", slices=range(z.start, z.stop), box=box, noise=False
    )
    return made.calibration.linear("native", "density")(made.voxels.astype(float))


def local_thickness_mm(bone):
    """Diameter of the largest ball that fits into the bone, for each of its voxels [mm]."""
    radius = ndimage.distance_transform_edt(bone)  # to the middle of the next voxel outside
    largest = np.zeros(bone.shape)
    for r in np.unique(np.round(radius[bone], 2)):
        largest[ndimage.distance_transform_edt(radius < r - 0.01) < r] = r
    return (2 * largest[bone] - 1) * MM


@pytest.fixture(scope="module", params=[100_000, 100_003])
def core(request):
    """The inside of the second head, a cube of 4 mm."""
    widest = hand(request.param).second.ray.widest
    return around(request.param, 0.9 * widest, 2.0) > BONE


def test_struts_are_as_thin_as_in_published_scans(core):
    thickness = local_thickness_mm(core)
    assert 0.13 < thickness.mean() < 0.25
    assert np.percentile(thickness, 95) < 0.4


def test_struts_follow_each_other_every_seven_tenths_to_one_millimetre(core):
    met = [np.count_nonzero(np.diff(core.astype(np.int8), axis=axis) == 1) for axis in range(3)]
    apart = core.size * MM / np.array(met)  # from strut to strut, along z, y, x
    assert 0.7 < apart[1:].min() <= apart[1:].max() < 1.0
    assert apart[0] > 1.2 * apart[1:].max()  # they run along the bone


def test_head_is_a_network_in_marrow(core):
    assert 0.2 < core.mean() < 0.45
    parts, _ = ndimage.label(~core)
    assert np.bincount(parts.ravel())[1:].max() > 0.9 * np.count_nonzero(~core)


@pytest.mark.parametrize("seed", [100_014, 100_017])  # joint spaces of 0.8 and 0.9 mm
def test_joint_space_is_open(seed):
    bone = around(seed, -0.8, 4.0) > BONE
    parts, _ = ndimage.label(bone)
    middle = slice(parts.shape[1] // 2 - 20, parts.shape[1] // 2 + 21)
    phalanx, head = (set(parts[z, middle, middle].flat) - {0} for z in (slice(35), slice(65, None)))
    assert phalanx
    assert head
    assert not phalanx & head


def test_erosions_are_holes_in_some_hands():
    eroded = [s for s in range(100_000, 100_012) if draw_rays(s)[0].erosions]
    assert 2 <= len(eroded) <= 9
    drawn = hand(eroded[0])
    place = [c[None] for c in np.array(drawn.second.ray.erosions[0][:3])]
    assert drawn.second.hole.at(*place) > 0.3
    assert drawn.textures[0].density(place, drawn.second.depth.at(*place) + 1.0, 0.0) < 100
