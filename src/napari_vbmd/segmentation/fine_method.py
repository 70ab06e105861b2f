"""Coarse to fine: one network finds the bone in the scan, another outlines it where it is.

The published pipeline needs a person to mark the first and last slice; here a third network does,
unless a person did. Torch is imported when the method runs, not before.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..scan import Mask, Scan
from .configurations import CONFIGURATIONS, Configuration
from .field import AIR, tissue_box
from .inference import Progress, check_sampling, choose_device, placed, predict_slices
from .network_method import (
    NetworkParameters,
    NetworkResult,
    facts_of,
    look,
    part,
    side_of,
    warnings_of,
)
from .onnx_export import AROUND_BONE, NEIGHBOURS
from .plausibility import strange
from .preprocessing import NetworkGrid, Normalisation, covering_grid, prepare
from .probability import Probability
from .runtimes import ready
from .sampling import resampled
from .slice_range import RANGE_FIELD, FoundRange, range_of, with_tip
from .weights import load_network

if TYPE_CHECKING:
    from torch import nn

    from .onnx_network import OnnxNetwork

_ONE_JOINT_MM = 45.0  # the heads of four metacarpals need 60 mm and more
_MARGIN_MM = 2.5  # around the box that the first network found, across
_BEYOND_MM = 2.0  # and along z, beyond the slice range
# Where each part begins in the whole
_COARSE, _RANGE, _SAMPLE, _OUTLINE, _MASK = 0.05, 0.35, 0.4, 0.45, 0.95


def run_fine(
    configuration: Configuration,
    scan: Scan,
    parameters: NetworkParameters,
    slices: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> NetworkResult:
    """Segment a scan in two steps; parameters and errors as `network_method.run_network`.

    ``slices`` override the range that the network would find. A scan of one joint is not searched:
    the bone is the one in it.
    """
    tell = progress or (lambda *_: None)
    side = side_of(scan, parameters.side)
    tell(0.0, "loading the network")
    network, weights = load_network(configuration, parameters.weights)
    device, note = choose_device(parameters.device)
    find = _one_joint if is_one_joint(scan) else _search
    place = find(configuration, scan, slices, side, parameters, part(tell, _COARSE, _RANGE))
    normalisation = weights.info.normalisation
    tell(_RANGE, "the slice range")
    about = weights.sha256, device, parameters.runtime
    found = None
    if not slices:
        ends = ready(network.ends, AROUND_BONE, *about).network
        found = _range(ends, place, normalisation, device)
    grid = _fine_grid(configuration, scan, slices, side, place, found)
    check_sampling(grid.shape)
    sampling = part(tell, _SAMPLE, _OUTLINE, "sampling the scan")
    volume = _sampled(scan, grid, normalisation, sampling)
    outline = ready(network.outline, NEIGHBOURS, *about)
    note = _runtimes_said(note, place, outline.note)
    values = predict_slices(outline.network, volume, device, part(tell, _OUTLINE, _MASK))
    if found:
        found = with_tip(found, values, grid)
        values[found.outside(grid)] = 0
    tell(_MASK, "back to the scan's grid")
    probability = Probability(values, grid)
    given = parameters.threshold
    threshold = weights.info.threshold if given is None else given
    mask = probability.mask(threshold)
    tell(1.0, note)
    warnings = warnings_of(scan, parameters, weights) + strange(scan, slices, mask)
    if found and not found.is_sure:
        warnings.append(
            "the network is not sure of the slice range: look at the first and last slices, or set "
            "them"
        )
    facts = facts_of(weights, note, side, grid) | {"threshold": threshold}
    facts |= {"found_by": place.by, "slice_range": _said(found, mask, scan) if found else "given"}
    return NetworkResult(mask, probability, facts, warnings)


def _runtimes_said(note: str, place: "Place", outlines: str) -> str:
    """The device, and what runs the networks there."""
    finds = place.by["device"] if isinstance(place.by, dict) else ""
    if finds in ("", f"{note}, {outlines}"):
        return f"{note}, {outlines}"
    return f"{finds} to find the bone, {outlines} to outline it"


def _said(found: FoundRange, mask: Mask, scan: Scan) -> dict[str, Any]:
    """The slices that hold bone now, and how sure the network was; for JSON."""
    first = int(mask.grid.position[0] - scan.grid.position[0])
    last = first + mask.grid.shape[0] - 1
    return {"found": True, "first": first, "last": last, "sure": round(found.sure, 3)}


@dataclass(frozen=True)
class Place:
    """Where the bone is, at 0.246 mm.

    Attributes
    ----------
    mu : ndarray of float32, shape (z, y, x)
        The scan [1/cm], left hands mirrored.
    grid : NetworkGrid
        Of `mu`.
    box : tuple of slice
        Of `mu`.
    by : dict or str
        The weights that found it, or why none were needed; for JSON.
    """

    mu: np.ndarray
    grid: NetworkGrid
    box: tuple[slice, slice, slice]
    by: dict | str


def is_one_joint(scan: Scan) -> bool:
    """Whether the field is too narrow for a hand: then one joint is in it."""
    across = [n * mm for n, mm in zip(scan.grid.shape[1:], scan.grid.spacing_mm[1:], strict=True)]
    return max(across) < _ONE_JOINT_MM


def _search(configuration, scan, slices, side, parameters, tell) -> Place:
    """The first network finds the bone in a hand."""
    shipped = replace(parameters, weights=None)
    coarse = CONFIGURATIONS[configuration.coarse]
    seen = look(coarse, scan, slices, side, shipped, tell, keep_volume=True)
    info, grid = seen.weights.info, seen.probability.grid
    mu = seen.volume
    mu *= np.float32(info.sd)
    mu += np.float32(info.mean)
    by = facts_of(seen.weights, seen.device_note, side, grid)["weights"]
    by["device"] = seen.device_note
    return Place(mu, grid, seen.probability.box(info.threshold), by)


def _one_joint(configuration, scan, slices, side, parameters, tell) -> Place:
    """All that is no air."""
    preset = CONFIGURATIONS[configuration.coarse].preset
    mu, grid = prepare(
        scan,
        slices,
        preset,
        None,
        mirrored=side == "left",
        progress=lambda done: tell(done, "sampling the scan"),
    )
    return Place(mu, grid, (slice(0, len(mu)), *tissue_box(mu)), "nobody: one joint in the field")


def _range(
    network: "nn.Module | OnnxNetwork", place: Place, normalisation: Normalisation, device: str
) -> FoundRange:
    """The expert's slices, from what lies around the middle of the bone."""
    import torch

    real = np.flatnonzero(~place.grid.axes[0].padding())
    block = np.full((len(real), RANGE_FIELD, RANGE_FIELD), AIR, np.float32)
    target, source = [], []
    for side, count in zip(place.box[1:], place.mu.shape[1:], strict=True):
        start = (side.start + side.stop - RANGE_FIELD) // 2
        low, high = max(0, start), min(count, start + RANGE_FIELD)
        source.append(slice(low, high))
        target.append(slice(low - start, high - start))
    block[:, target[0], target[1]] = place.mu[real][:, source[0], source[1]]
    block -= normalisation.mean
    block /= normalisation.sd
    with torch.inference_mode():
        network = placed(network, device, torch.contiguous_format)
        logits = network(torch.from_numpy(block[None, None]).to(device))
        inside = logits[0].float().sigmoid().cpu().numpy()
    return range_of(inside, place.grid, real, place.box[0])


def _fine_grid(
    configuration: Configuration, scan: Scan, slices, side: str, place: Place, found
) -> NetworkGrid:
    """The box around the bone on the fine grid; along z the range, and a little more."""
    whole = covering_grid(scan.grid, slices, configuration.preset, side == "left")
    window = []
    for axis, of, part_of in zip(whole.axes, place.grid.axes, place.box, strict=True):
        ends = np.sort(axis.from_scan(of.to_scan()[[part_of.start, part_of.stop - 1]]))
        margin = _MARGIN_MM / configuration.preset.spacing_mm[0]
        window.append((int(ends[0] - margin), int(np.ceil(ends[1] + margin)) + 1))
    deep = whole.axes[0]
    if found is not None:
        ends = deep.from_scan(np.array([found.first, found.last]) - whole.first_slice)
        margin = _BEYOND_MM / configuration.preset.spacing_mm[0]
        window[0] = (int(ends[0] - margin), int(np.ceil(ends[1] + margin)) + 1)
    elif slices:
        window[0] = (0, deep.sampled)
    low, high = max(0, window[0][0]), min(deep.sampled, window[0][1])
    box = (slice(low, high), *(_widened(*ends, configuration.divisor) for ends in window[1:]))
    return whole.window(box)


def _widened(start: int, stop: int, divisor: int) -> slice:
    """A range whose length is a multiple of the divisor."""
    count = divisor * -(-(stop - start) // divisor)
    first = (start + stop - count) // 2
    return slice(first, first + count)


def _sampled(
    scan: Scan, grid: NetworkGrid, normalisation: Normalisation, progress: Callable[[float], None]
) -> np.ndarray:
    """What the outline network sees: mu, normalised; air beyond the scan's sides."""
    gain, offset = scan.transform("mu")
    voxels = scan.voxels[grid.first_slice : grid.first_slice + grid.axes[0].scan]
    volume = resampled(voxels, [axis.to_scan() for axis in grid.axes], progress)
    volume *= np.float32(gain)
    volume += np.float32(offset)
    volume[:, grid.axes[1].padding()] = AIR
    volume[:, :, grid.axes[2].padding()] = AIR
    volume -= np.float32(normalisation.mean)
    volume /= np.float32(normalisation.sd)
    return volume
