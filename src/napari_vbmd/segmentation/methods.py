"""Every way from a scan to a mask, by name. A new one is an entry in `METHODS`."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ..calibration import UNIT_NAMES
from ..errors import ParameterError
from ..grid import Grid
from ..scan import Mask, Scan
from .configurations import CONFIGURATIONS, Configuration
from .contour import ContourParameters, outline
from .fine_method import run_fine
from .network_method import (
    NetworkParameters,
    NetworkResult,
    check_network,
    run_network,
    summary_of,
)
from .probability import Probability
from .weights import NOT_CLINICAL

Progress = Callable[[float, str], None]
CONTOUR = "contour"
_SEARCHED = "no slice range was set: the whole scan was searched"


@dataclass(frozen=True)
class Segmentation:
    """What a method made of a scan.

    Attributes
    ----------
    mask : Mask
        On a box of the scan's grid.
    method : str
    parameters : dict
        All that was set, ready for JSON.
    slices : tuple of int or None
        First and last slice that were looked at, inclusive; None: the whole scan.
    warnings : list of str
        What a reader must know before using the mask.
    facts : dict
        What the method used beside its parameters (weights with their hash, device, side), ready
        for JSON.
    probability : Probability or None
        Of a network: for other thresholds without a new run.
    """

    mask: Mask
    method: str
    parameters: dict
    slices: tuple[int, int] | None = None
    warnings: list[str] = field(default_factory=list)
    facts: dict = field(default_factory=dict)
    probability: Probability | None = None


@dataclass(frozen=True)
class Method:
    """One way to segment.

    Attributes
    ----------
    name : str
    summary : str
        One plain sentence: what it is, and how long it takes.
    parameters : type
        A frozen dataclass of what can be set; its defaults are the method's.
    run : callable
        ``run(scan, parameters, slices, progress)``: a Mask, or a NetworkResult.
    check : callable
        ``check(scan, parameters)`` raises at once what `run` would find wrong with them.
    warning : str
        What a reader must know of every mask that it makes; "" for nothing.
    """

    name: str
    summary: str
    parameters: type
    run: Callable[[Scan, Any, tuple[int, int] | None, Progress | None], Mask | NetworkResult]
    check: Callable[[Scan, Any], None] = lambda scan, parameters: None
    warning: str = ""


def segment(
    scan: Scan,
    method: str = CONTOUR,
    parameters: Any = None,
    slices: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> Segmentation:
    """Segment a scan.

    Parameters
    ----------
    scan : Scan
    method : str
        A name in `METHODS`.
    parameters : optional
        Of the method's own kind; its defaults when None.
    slices : tuple of int, optional
        First and last slice to look at, inclusive.
    progress : callable, optional
        Called with a fraction and a message; may raise to cancel.

    Raises
    ------
    ParameterError
        When the method is not known, the parameters are another method's, or the slice range
        leaves the scan.
    MissingCalibrationError, NoBoneError
        As the method finds.
    """
    check_method_name(method)
    chosen = METHODS[method]
    parameters = parameters if parameters is not None else chosen.parameters()
    if not isinstance(parameters, chosen.parameters):
        raise ParameterError(f"method {method!r} takes {chosen.parameters.__name__}")
    check_slices(slices, scan.grid.shape[0])
    chosen.check(scan, parameters)
    found = chosen.run(scan, parameters, slices, progress)
    warnings = [] if slices else [_SEARCHED]
    recorded = recorded_parameters(parameters)
    if isinstance(found, Mask):
        return Segmentation(found, method, recorded, slices, warnings)
    given = found.facts.get("slice_range")
    if isinstance(given, dict):
        warnings = [
            f"no slice range was set: the network found slices {given['first']} to {given['last']}"
        ]
    warnings = [*found.warnings, *warnings]
    return Segmentation(
        found.mask, method, recorded, slices, warnings, found.facts, found.probability
    )


def check_method_name(method: str) -> None:
    """Refuse a name that is none.

    Raises
    ------
    ParameterError
    """
    if method not in METHODS:
        raise ParameterError(f"method {method!r} is not known: use {', '.join(METHODS)}")


def recorded_parameters(parameters: Any) -> dict[str, Any]:
    """Parameters for people and JSON: of a file its name, since folders carry patients' names."""
    return {
        name: Path(value).name if name == "weights" and value else value
        for name, value in asdict(parameters).items()
    }


def default_method() -> str:
    """The shipped network with the best held-out Dice, or ``contour`` where none is shipped."""
    shipped = [c for c in CONFIGURATIONS.values() if c.weights_path and c.held_out_dice]
    return max(shipped, key=lambda c: c.held_out_dice).name if shipped else CONTOUR


def check_slices(slices: tuple[int, int] | None, count: int) -> None:
    """Refuse a slice range that is turned round or leaves a scan of ``count`` slices.

    Raises
    ------
    ParameterError
    """
    if slices is None:
        return
    first, last = slices
    if not 0 <= first <= last < count:
        raise ParameterError(
            f"slices {first}:{last}: the scan has slices 0 to {count - 1}, and the first may not "
            "come after the last"
        )


def _contour(scan, parameters, slices, progress) -> Mask:
    gain, offset = scan.density_transform()
    voxels, origin = outline(
        scan.voxels, gain, offset, scan.grid.spacing_mm, parameters, slices, progress
    )
    position = tuple(p + o for p, o in zip(scan.grid.position, origin, strict=True))
    grid = Grid(voxels.shape, scan.grid.spacing_mm, position)
    return Mask(voxels, grid, format="contour")


def _check_contour(scan: Scan, parameters: ContourParameters) -> None:
    scan.density_transform()


def _network(configuration: Configuration) -> Method:
    return Method(
        configuration.name,
        summary_of(configuration),
        NetworkParameters,
        partial(run_fine if configuration.coarse else run_network, configuration),
        partial(check_network, configuration),
        NOT_CLINICAL if configuration.weights_path else "",
    )


METHODS = {
    method.name: method
    for method in (
        Method(
            CONTOUR,
            "The classical outline of one bone by its density: no network, no training; needs a "
            f"calibration to {UNIT_NAMES['density']}. Seconds for a joint, about a minute for a "
            "hand.",
            ContourParameters,
            _contour,
            _check_contour,
        ),
        *map(_network, CONFIGURATIONS.values()),
    )
}
