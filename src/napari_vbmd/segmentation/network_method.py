"""A network as a method: from a scan to a mask, with what must be said beside it.

Torch and MONAI are imported when a method runs, not before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ParameterError
from ..scan import SIDES, Mask, Scan
from .configurations import Configuration
from .inference import (
    DEVICES,
    Progress,
    check_memory,
    check_sampling,
    choose_device,
    predict,
)
from .onnx_export import SLICES, VOLUME
from .plausibility import strange
from .preprocessing import NetworkGrid, covering_grid, prepare
from .probability import Probability, check_threshold
from .runtimes import check_runtime, ready
from .weights import NOT_CLINICAL, Weights, find_weights, load_network

# Where each part begins in the whole, for one bar of progress
_LOAD, _SAMPLE, _PREDICT, _MASK = 0.0, 0.1, 0.2, 0.95


@dataclass(frozen=True)
class NetworkParameters:
    """How to run a network.

    Parameters
    ----------
    threshold : float or None
        Probability from which a voxel is bone. Default None: what the weights go with. That is 0.5
        for the shipped ones, which soft labels and interpolation leave in place, and 0.8 for the
        preset `paper`.
    side : {"auto", "left", "right"}
        Of the hand; left hands are mirrored. Default auto: what the header says, never a guess.
    device : {"auto", "cpu", "cuda"}
        Default auto: the GPU where there is one.
    weights : path or None
        A weights file. Default None: the shipped one.
    runtime : {"auto", "torch", "onnx"}
        On the CPU. Default auto: ONNX Runtime where it is installed and faster, else torch.

    Raises
    ------
    ParameterError
        When a value is not one of these.
    """

    threshold: float | None = None
    side: str = "auto"
    device: str = "auto"
    weights: str | Path | None = None
    runtime: str = "auto"

    def __post_init__(self):
        if self.threshold is not None:
            check_threshold(self.threshold)
        if self.side not in ("auto", *SIDES):
            raise ParameterError(f"side {self.side!r} is not known: use auto, {', '.join(SIDES)}")
        if self.device not in DEVICES:
            raise ParameterError(f"device {self.device!r} is not known: use {', '.join(DEVICES)}")
        check_runtime(self.runtime)


@dataclass(frozen=True)
class NetworkResult:
    """What a network made of a scan.

    Attributes
    ----------
    mask : Mask
        On its box of the scan's grid.
    probability : Probability
        For other thresholds.
    facts : dict
        What was used, for run.json.
    warnings : list of str
        What a reader must know.
    """

    mask: Mask
    probability: Probability
    facts: dict[str, Any]
    warnings: list[str]


@dataclass(frozen=True)
class Seen:
    """A network's answer, and what gave it.

    Attributes
    ----------
    probability : Probability
    weights : Weights
    device_note : str
        For people to read.
    volume : ndarray or None
        What the network saw, normalised; None where nobody asked to keep it.
    """

    probability: Probability
    weights: Weights
    device_note: str
    volume: np.ndarray | None = None


def check_network(configuration: Configuration, scan: Scan, parameters: NetworkParameters) -> None:
    """Raise at once what is missing: weights, the hand's side, a calibration to attenuation.

    Raises
    ------
    ParameterError, MissingCalibrationError
    """
    find_weights(configuration, parameters.weights)
    side_of(scan, parameters.side)
    scan.transform("mu")


def summary_of(configuration: Configuration) -> str:
    """What the network is, and whether it can be run as installed."""
    state = (
        f"{NOT_CLINICAL[0].upper()}{NOT_CLINICAL[1:]}."
        if configuration.weights_path
        else "No weights are shipped: it needs a weights file of yours."
    )
    return f"{configuration.summary} {state}"


def run_network(
    configuration: Configuration,
    scan: Scan,
    parameters: NetworkParameters,
    slices: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> NetworkResult:
    """Segment a scan with a network.

    Parameters
    ----------
    configuration : Configuration
    scan : Scan
    parameters : NetworkParameters
    slices : tuple of int, optional
        First and last slice to look at, inclusive.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Raises
    ------
    ParameterError
        When there are no weights, the side is not known, or memory or a GPU are missing.
    MissingCalibrationError, NoBoneError, FileFormatError
        As preparing, the answer and the weights' file find.
    """
    tell = progress or (lambda *_: None)
    side = side_of(scan, parameters.side)
    seen = look(configuration, scan, slices, side, parameters, tell)
    tell(_MASK, "back to the scan's grid")
    info, given = seen.weights.info, parameters.threshold
    threshold = info.threshold if given is None else given
    mask = seen.probability.mask(threshold)
    tell(1.0, seen.device_note)
    warnings = warnings_of(scan, parameters, seen.weights) + strange(scan, slices, mask)
    facts = facts_of(seen.weights, seen.device_note, side, seen.probability.grid)
    return NetworkResult(mask, seen.probability, facts | {"threshold": threshold}, warnings)


def look(
    configuration: Configuration,
    scan: Scan,
    slices: tuple[int, int] | None,
    side: str,
    parameters: NetworkParameters,
    tell: Progress,
    keep_volume: bool = False,
) -> "Seen":
    """Let a network see a scan; raises as `run_network`."""
    tell(_LOAD, "loading the network")
    network, weights = load_network(configuration, parameters.weights)
    device, note = choose_device(parameters.device)
    tell(_SAMPLE, "sampling the scan")
    volume, grid = _sampled(configuration, scan, slices, weights, side, tell)
    if device == "cpu":
        check_memory(volume.shape, configuration.dims)
    seen = SLICES if configuration.dims == 2 else VOLUME
    it = ready(network, seen, weights.sha256, device, parameters.runtime)
    values = predict(it.network, volume, configuration.dims, device, part(tell, _PREDICT, _MASK))
    note = f"{note}, {it.note}"
    return Seen(Probability(values, grid), weights, note, volume if keep_volume else None)


def _sampled(configuration, scan, slices, weights, side, tell) -> tuple[np.ndarray, NetworkGrid]:
    """What the network sees; refused where memory will not do, or values are no numbers."""
    mirrored, preset = side == "left", weights.info.preset_of()
    check_sampling(covering_grid(scan.grid, slices, preset, mirrored).shape)
    volume, grid = prepare(
        scan,
        slices,
        preset,
        weights.info.normalisation,
        mirrored=mirrored,
        dims=configuration.dims,
        divisor=configuration.divisor,
        progress=part(tell, _SAMPLE, _PREDICT, "sampling the scan"),
    )
    if scan.voxels.dtype.kind == "f" and not np.isfinite(volume).all():
        raise ParameterError(
            f"{scan.name}: some of its values are not finite numbers, which a network cannot see; "
            "replace them and save the scan again"
        )
    return volume, grid


def side_of(scan: Scan, choice: str) -> str:
    """The side that counts: the user's, else the header's.

    Raises
    ------
    ParameterError
        When neither says.
    """
    if choice != "auto":
        return choice
    if scan.side in SIDES:
        return scan.side
    raise ParameterError(
        f"{scan.name}: it is not known whether this is a left or a right hand "
        f"({scan.side_reason}), and the network sees left hands mirrored: give the side, left or "
        "right"
    )


def facts_of(weights: Weights, note: str, side: str, grid: NetworkGrid) -> dict[str, Any]:
    """All that a repetition needs beside the parameters, ready for JSON."""
    info = weights.info
    return {
        "weights": {
            "file": weights.path.name,
            "sha256": weights.sha256,
            "trained_on": info.trained_on,
            "held_out_dice": info.held_out_dice,
            "preset": info.preset,
            "normalisation": {"mean": info.mean, "sd": info.sd},
        },
        "device": note,
        "side": side,
        "network_grid": {
            "shape": list(grid.shape),
            "scan_voxels_per_voxel": [axis.ratio for axis in grid.axes],
        },
    }


def warnings_of(scan: Scan, parameters: NetworkParameters, weights: Weights) -> list[str]:
    """What a reader must know before any mask was made: the training, and the side."""
    about = weights.info.trained_on or "what the weights file does not say"
    own = f"trained on {about}: not for clinical use"
    warnings = [own if parameters.weights else NOT_CLINICAL]
    if parameters.side != "auto" and scan.side in SIDES and scan.side != parameters.side:
        warnings.append(f"side {parameters.side} was given, and the header says {scan.side}")
    return warnings


def part(tell: Progress, start: float, stop: float, message: str = "") -> Callable[..., None]:
    """A progress over a part of another."""

    def within(fraction: float, text: str = message) -> None:
        tell(start + fraction * (stop - start), text)

    return within
