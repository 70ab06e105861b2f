"""Every way from a scan to a mask, by name. A new one is an entry in `METHODS`."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from ..calibration import UNIT_NAMES
from ..errors import ParameterError
from ..grid import Grid
from ..scan import Mask, Scan
from .contour import ContourParameters, outline

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Segmentation:
    """What a method made of a scan.

    Attributes
    ----------
    mask : Mask
        On a box of the scan's grid.
    method : str
    parameters : dict
        All that is needed to repeat it, ready for JSON.
    slices : tuple of int or None
        First and last slice that were looked at, inclusive; None: the whole scan.
    warnings : list of str
        What a reader must know before using the mask.
    """

    mask: Mask
    method: str
    parameters: dict
    slices: tuple[int, int] | None = None
    warnings: list[str] = field(default_factory=list)


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
        ``run(scan, parameters, slices, progress) -> Mask``.
    """

    name: str
    summary: str
    parameters: type
    run: Callable[[Scan, Any, tuple[int, int] | None, Progress | None], Mask]


def segment(
    scan: Scan,
    method: str = "contour",
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
    if method not in METHODS:
        raise ParameterError(f"method {method!r} is not known: use {', '.join(METHODS)}")
    chosen = METHODS[method]
    parameters = parameters if parameters is not None else chosen.parameters()
    if not isinstance(parameters, chosen.parameters):
        raise ParameterError(f"method {method!r} takes {chosen.parameters.__name__}")
    check_slices(slices, scan.grid.shape[0])
    mask = chosen.run(scan, parameters, slices, progress)
    warnings = [] if slices else ["no slice range was set: the whole scan was searched"]
    return Segmentation(mask, method, asdict(parameters), slices, warnings)


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


METHODS = {
    method.name: method
    for method in (
        Method(
            "contour",
            "The classical outline of one bone by its density: no network, no training; needs a "
            f"calibration to {UNIT_NAMES['density']}. Seconds for a joint, about a minute for a "
            "hand.",
            ContourParameters,
            _contour,
        ),
    )
}
