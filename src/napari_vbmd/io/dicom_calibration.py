"""What a DICOM series' values are, and the scanner's constants, from the tags of its slices.

The rescale tags (0028,1052 to 1054) lead from stored values to a unit. The scanner's export adds
private tags in group 0029: 1000 mu_scaling, 1003 unit of the density, 1004 slope, 1005 intercept,
1006 mu_water. Their VR and private creator are not public; text and binary numbers are read.

Source: BoneJ's density calibrator, ORMIR-MIDS and two other public readers agree on the numbers;
unconfirmed by a file of our own.
"""

import base64
import binascii
import math
import struct
from collections.abc import Mapping

from ..calibration import Calibration, Unit
from .isq_header import DENSITY_UNITS

PRIVATE = {
    "0029|1000": "mu_scaling",
    "0029|1003": "density unit",
    "0029|1004": "density slope",
    "0029|1005": "density intercept",
    "0029|1006": "mu_water",
}
_TOLERANCE = 5e-3  # relative: the tags are rounded
_SOURCE = "DICOM private tags"


def unit_of(tags: Mapping[str, str]) -> tuple[Unit, str]:
    """The unit of the rescaled values, and what is not clear about it.

    Parameters
    ----------
    tags : mapping
        ``RescaleType``, ``RescaleSlope``, ``RescaleIntercept``, ``Modality``, as far as they are
        there.
    """
    kind = tags.get("RescaleType", "").strip()
    if kind.upper() == "HU":
        return "hu", ""
    if kind in DENSITY_UNITS:
        return "density", ""
    slope, intercept = (_number(tags.get(f"Rescale{n}", "")) for n in ("Slope", "Intercept"))
    if slope in (None, 1.0) and intercept in (None, 0.0):
        return "native", ""
    if not kind and tags.get("Modality") == "CT":  # what the standard says of a CT without a type
        return "hu", ""
    return "native", f"the values are rescaled to {kind or 'a unit that is not named'}"


def calibration_of(tags: Mapping[str, str]) -> Calibration:
    """The constants that the scanner's private tags carry; what they lack stays unknown.

    Parameters
    ----------
    tags : mapping
        Those of `unit_of`, and ``Manufacturer`` and the names in `PRIVATE`.
    """
    if "SCANCO" not in tags.get("Manufacturer", "").upper():
        return Calibration()  # group 0029 means something else to others
    unit, unclear = unit_of(tags)
    if unclear:
        return Calibration(source=_SOURCE, problem=unclear)
    known = {
        "mu_scaling": _positive(tags.get("mu_scaling")),
        "mu_water_per_cm": _positive(tags.get("mu_water")),
    }
    if unit == "hu" and not _agree(tags, **known):
        problem = "the rescale tags and the private tags say different things about HU"
        return Calibration(source=_SOURCE, problem=problem)
    slope = _positive(tags.get("density slope"))
    intercept = _number(tags.get("density intercept", ""))
    density_unit = _text(tags.get("density unit", ""))
    if slope is None or intercept is None:
        problem = "the DICOM series carries no density constants"
        return Calibration(**known, source=_SOURCE, problem=problem)
    if density_unit and density_unit not in DENSITY_UNITS:
        problem = f"the series' density unit is {density_unit!r}, not mg HA/ccm"
        return Calibration(**known, source=_SOURCE, problem=problem)
    return Calibration(**known, density_slope=slope, density_intercept=intercept, source=_SOURCE)


def shown(name: str, value: str) -> str:
    """A tag's value as people read it: coded bytes of a private tag as their number or text."""
    if name not in PRIVATE.values():
        return value
    if name == "density unit":
        return _text(value)
    number = _number(value)
    coded = number is not None and _bytes(value) and not value.replace(".", "").isdigit()
    return repr(number).removesuffix(".0") if coded else value


def _agree(
    tags: Mapping[str, str], mu_scaling: float | None, mu_water_per_cm: float | None
) -> bool:
    """Whether HU by the rescale tags are HU by the constants: 1000 / (mu_water mu_scaling)."""
    slope = _number(tags.get("RescaleSlope", ""))
    if None in (slope, mu_scaling, mu_water_per_cm):
        return True
    intercept = _number(tags.get("RescaleIntercept", ""))
    expected = 1000 / (mu_scaling * mu_water_per_cm)
    return abs(slope - expected) <= _TOLERANCE * expected and intercept == -1000.0


def _number(value: str) -> float | None:
    """A number that arrives as text, or, where the file does not say its VR, as coded bytes."""
    data = value.strip()
    try:
        number = float(data)
    except ValueError:
        raw = _bytes(data)
        try:
            number = float(raw.decode("ascii").strip(" \0"))
        except ValueError:
            is_words = all(32 <= byte < 127 for byte in raw)
            number = math.nan if is_words or len(raw) != 8 else struct.unpack("<d", raw)[0]
    return number if math.isfinite(number) else None


def _positive(value: str | None) -> float | None:
    number = _number(value or "")
    return number if number is not None and number > 0 else None


def _text(value: str) -> str:
    if value.strip() in DENSITY_UNITS:
        return value.strip()
    decoded = _bytes(value.strip()).decode("latin-1").strip(" \0")
    return decoded if decoded.isprintable() and decoded else value.strip()


def _bytes(value: str) -> bytes:
    """Bytes that the library codes as base64; none where it is no such code."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""
