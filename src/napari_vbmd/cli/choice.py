"""The method that was asked for, with its parameters, from the options typed."""

import argparse
from typing import Any

from ..errors import ParameterError
from .console import Console

# Options by the field of a method's parameters that they set
_CONTOUR = {
    "threshold": "threshold_mg_cm3",
    "seed": "seed_zyx",
    "denoise": "denoise_mm",
    "closing": "closing_mm",
    "opening": "opening_mm",
    "smoothing": "smoothing_mm",
    "slicewise": "slicewise",
    "separate": "separate",
}
_NETWORK = {name: name for name in ("threshold", "weights", "side", "device", "runtime")}
_TYPED = {"separate": "no-separate"}


def chosen_method(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Method, parameters, slices and post-processing: keywords of `make_mask`.

    An option of another method is said to be unused; weights for a method without a network are
    refused.

    Raises
    ------
    ParameterError
        When the method is not known, or a value is out of its range.
    """
    from ..pipeline import PostProcessing
    from ..segmentation.methods import CONTOUR, METHODS, default_method

    method = arguments.method or default_method()
    if method not in METHODS:
        raise ParameterError(f"--method {method}: not known; use one of {', '.join(METHODS)}")
    own = _CONTOUR if method == CONTOUR else _NETWORK
    given = {
        option: value
        for option in _CONTOUR | _NETWORK
        if (value := getattr(arguments, option, None)) is not None
    }
    if "weights" in given and "weights" not in own:
        raise ParameterError(
            f"--weights {arguments.weights}: the method {method} has no network; leave the option "
            "out"
        )
    unused = [f"--{_TYPED.get(option, option)}" for option in given if option not in own]
    if unused:
        console.note(f"note: the method {method} does not use {' and '.join(unused)}")
    parameters = {own[option]: value for option, value in given.items() if option in own}
    return {
        "method": method,
        "parameters": METHODS[method].parameters(**parameters),
        "slices": arguments.slices,
        "post_processing": PostProcessing(arguments.keep_largest, arguments.close_holes),
    }
