"""The surfaces of the bones."""

import numpy as np
import pytest

from napari_vbmd.phantom.anatomy import metacarpal, phalanx
from napari_vbmd.phantom.rays import draw_rays


def section(bone, along):
    """Area [mm2] and outline of a bone at a distance from the head's tip."""
    step = 0.1
    side = np.arange(-13, 13, step)
    a, b = np.meshgrid(side, side, indexing="ij")
    inside = bone.depth.at(np.full(a.shape, along), a, b) > 0
    return inside.sum() * step**2, a[inside], b[inside]


@pytest.fixture(scope="module", params=[1, 4])
def head(request):
    return metacarpal(draw_rays(request.param)[0], request.param)


def test_head_is_a_dome_that_grows_and_goes_over_into_a_thinner_shaft(head):
    ray = head.ray
    tip, widest, end, shaft = (
        section(head, along)[0] for along in (0.5, ray.widest, ray.end, ray.end + 6)
    )
    assert section(head, -1.0)[0] == 0
    assert tip < 0.5 * widest
    assert shaft <= end < 0.75 * widest


def test_end_is_a_delta_with_its_ridge_in_the_palms_side(head):
    _, a, b = section(head, head.ray.end)
    radius = np.hypot(a - a.mean(), b - b.mean())
    angle = np.arctan2(a - a.mean(), b - b.mean())
    third = np.abs(np.sum(radius**3 * np.exp(3j * angle)) / np.sum(radius**3))
    second = np.abs(np.sum(radius**3 * np.exp(2j * angle)) / np.sum(radius**3))
    assert third > 0.08
    assert third > second
    palm = np.ptp(a[b > b.max() - 1.5])
    back = np.ptp(a[b < b.min() + 1.5])
    assert palm < back


def test_shell_grows_from_head_to_shaft_and_the_network_thins(head):
    ray, zero = head.ray, np.zeros(1)
    shell = [float(head.shell.values[head.depth.values > 0].min())]
    angle = np.linspace(0, 2 * np.pi, 40)
    for along in (ray.widest, ray.end):
        at = (np.full(40, along), 5 * np.sin(angle), 5 * np.cos(angle))
        shell.append(float(head.shell.at(*at).mean()))
    assert 0 < shell[0] < shell[1] < shell[2]
    thinning = [head.thinning.at(zero + along, zero, zero)[0] for along in (2.0, ray.end + 3)]
    assert thinning[0] < 0.1
    assert thinning[1] > 0.7


def test_phalanx_is_a_cup_that_leaves_the_joint_space(head):
    base = phalanx(head, 1)
    both = (base.depth.values > 0) & (head.depth.values > -0.6 * head.ray.gap)
    assert not both.any()
    assert section(base, -6.0)[0] > 40
    assert section(base, 1.0)[0] < 0.7 * section(base, -4.0)[0]


def test_erosions_lie_at_the_surface():
    seed = next(s for s in range(20) if draw_rays(s)[0].erosions)
    bone = metacarpal(draw_rays(seed)[0], seed)
    holes = bone.hole.values > 0
    assert holes.any()
    assert (holes & (np.abs(bone.depth.values) < 0.5)).any()
