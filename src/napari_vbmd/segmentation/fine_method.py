"""Coarse to fine: one network finds the bone in the scan, another outlines it where it is.

The published pipeline needs a person to mark the first and last slice; here a third network does,
unless a person did. Torch is imported when the method runs, not before.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..scan import Scan
from .configurations import CONFIGURATIONS, Configuration
from .field import AIR
from .inference import Progress, check_sampling, choose_device, predict_slices
from .network_method import (
    NetworkParameters,
    NetworkResult,
    Seen,
    facts_of,
    look,
    part,
    side_of,
    warnings_of,
)
from .plausibility import strange
from .preprocessing import NetworkGrid, Normalisation, covering_grid
from .probability import Probability
from .sampling import resampled
from .slice_range import RANGE_FIELD, FoundRange, range_of, with_tip
from .weights import load_network

if TYPE_CHECKING:
    from torch import nn

_MARGIN_MM = 2.5  # around the box that the first network found, across
_BEYOND_MM = 2.0  # and along z, beyond the slice range
_COARSE, _FINE, _MASK = 0.05, 0.45, 0.95  # where each part begins in the whole


def run_fine(
    configuration: Configuration,
    scan: Scan,
    parameters: NetworkParameters,
    slices: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> NetworkResult:
    """Segment a scan in two steps; parameters and errors as `network_method.run_network`.

    ``slices`` override the range that the network would find.
    """
    tell = progress or (lambda *_: None)
    side = side_of(scan, parameters.side)
    tell(0.0, "loading the network")
    network, weights = load_network(configuration, parameters.weights)
    device, note = choose_device(parameters.device)
    first = CONFIGURATIONS[configuration.coarse]
    shipped = replace(parameters, weights=None)
    coarse = look(first, scan, slices, side, shipped, part(tell, _COARSE, _FINE), True)
    box = coarse.probability.box(coarse.weights.info.threshold)
    found = None if slices else _range(network, coarse, box, weights.info.normalisation, device)
    grid = _fine_grid(configuration, scan, slices, side, coarse.probability.grid, box, found)
    check_sampling(grid.shape)
    volume = _sampled(scan, grid, weights.info.normalisation)
    values = predict_slices(network.outline, volume, device, part(tell, _FINE, _MASK))
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
    facts |= {"coarse": facts_of(coarse.weights, note, side, coarse.probability.grid)["weights"]}
    facts |= {"slice_range": found.to_dict() if found else "given"}
    return NetworkResult(mask, probability, facts, warnings)


def _range(
    network: "nn.Module", coarse: Seen, box, normalisation: Normalisation, device: str
) -> FoundRange:
    """The expert's slices, from what the first network saw around the bone that it found."""
    import torch

    grid, info = coarse.probability.grid, coarse.weights.info
    real = np.flatnonzero(~grid.axes[0].padding())
    block = np.full((len(real), RANGE_FIELD, RANGE_FIELD), AIR, np.float32)
    target, source = [], []
    for side, count in zip(box[1:], coarse.volume.shape[1:], strict=True):
        start = (side.start + side.stop - RANGE_FIELD) // 2
        low, high = max(0, start), min(count, start + RANGE_FIELD)
        source.append(slice(low, high))
        target.append(slice(low - start, high - start))
    block[:, target[0], target[1]] = coarse.volume[real][:, source[0], source[1]] * info.sd
    block[:, target[0], target[1]] += info.mean
    block -= normalisation.mean
    block /= normalisation.sd
    with torch.inference_mode():
        logits = network.ends.to(device).eval()(torch.from_numpy(block[None, None]).to(device))
        inside = logits[0].float().sigmoid().cpu().numpy()
    return range_of(inside, grid, real, box[0])


def _fine_grid(
    configuration: Configuration, scan: Scan, slices, side: str, coarse: NetworkGrid, box, found
) -> NetworkGrid:
    """The box around the bone on the fine grid; along z the range, and a little more."""
    whole = covering_grid(scan.grid, slices, configuration.preset, side == "left")
    window = []
    for axis, of, part_of in zip(whole.axes, coarse.axes, box, strict=True):
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


def _sampled(scan: Scan, grid: NetworkGrid, normalisation: Normalisation) -> np.ndarray:
    """What the outline network sees: mu, normalised; air beyond the scan's sides."""
    gain, offset = scan.transform("mu")
    voxels = scan.voxels[grid.first_slice : grid.first_slice + grid.axes[0].scan]
    volume = resampled(voxels, [axis.to_scan() for axis in grid.axes])
    volume *= np.float32(gain)
    volume += np.float32(offset)
    volume[:, grid.axes[1].padding()] = AIR
    volume[:, :, grid.axes[2].padding()] = AIR
    volume -= np.float32(normalisation.mean)
    volume /= np.float32(normalisation.sd)
    return volume
