"""The parameters of a segmentation method as a form, made from the method's own dataclass."""

from dataclasses import fields
from typing import Any, NamedTuple

from magicgui.widgets import Container, create_widget
from qtpy.QtWidgets import QWidget

from ..scan import SIDES
from ..segmentation.inference import DEVICES


class _Shown(NamedTuple):
    label: str
    tooltip: str
    options: dict
    widget_type: str | None = None
    start: Any = None  # shown where the default leaves it to the method


_LENGTH = {"min": 0.0, "max": 10.0, "step": 0.05}
_SHOWN = {
    "threshold_mg_cm3": _Shown(
        "Edge, mg HA/cm³",
        "Density of the bone's edge after the light blur below",
        {"min": 1.0, "max": 2000.0, "step": 10.0},
    ),
    "closing_mm": _Shown(
        "Closing, mm", "Radius of the ball that bridges gaps in the cortical shell", _LENGTH
    ),
    "denoise_mm": _Shown("Blur before, mm", "SD of the Gaussian before the threshold", _LENGTH),
    "opening_mm": _Shown("Opening, mm", "Radius of the ball that takes off thin spurs", _LENGTH),
    "smoothing_mm": _Shown("Smoothing, mm", "SD of the Gaussian that rounds the outline", _LENGTH),
    "slicewise": _Shown(
        "Slice by slice", "Close, open and smooth each slice by itself instead of in 3D", {}
    ),
    "separate": _Shown(
        "Part touching bones", "Cut the bone from a neighbour that it touches at a narrow neck", {}
    ),
    "side": _Shown(
        "Side",
        "Of the hand; left hands are mirrored for the network. auto: what the file's header says",
        {"choices": ("auto", *SIDES)},
    ),
    "threshold": _Shown(
        "Threshold",
        "Probability from which a voxel is bone, 0 to 1; moves the outline of the last run",
        {"min": 0.02, "max": 0.98, "step": 0.02},
        "FloatSlider",
        0.5,
    ),
    "device": _Shown(
        "Device", "Where the network runs. auto: the GPU where there is one", {"choices": DEVICES}
    ),
    "weights": _Shown(
        "Weights",
        "A weights file (.pt, .safetensors) of this network; empty: the shipped one",
        {"filter": "Weights (*.pt *.safetensors)", "nullable": True},
        "FileEdit",
    ),
}
_BASIC = ("threshold_mg_cm3", "closing_mm", "side", "threshold")


class MethodForm:
    """Two forms for one method: what is often set, and the rest.

    Parameters
    ----------
    parameters : type
        A frozen dataclass; its defaults are shown.

    Attributes
    ----------
    basic, advanced : magicgui Container
    widgets : dict
        By the parameter's name.
    """

    def __init__(self, parameters: type):
        self._parameters = parameters
        widgets = {}
        for field in fields(parameters):
            if field.name not in _SHOWN:
                continue
            shown = _SHOWN[field.name]
            widgets[field.name] = create_widget(
                shown.start if field.default is None else field.default,
                label=shown.label,
                widget_type=shown.widget_type,
                options={**shown.options, "tooltip": shown.tooltip},
            )
            for part in widgets[field.name].native.findChildren(QWidget):
                part.setToolTip(shown.tooltip)  # a slider's number and a file's button, too
        basic = [widgets[name] for name in _BASIC if name in widgets]
        advanced = [w for name, w in widgets.items() if name not in _BASIC]
        self.widgets = widgets
        self.basic = Container(widgets=basic)
        self.advanced = Container(widgets=advanced)
        for container in (self.basic, self.advanced):
            container.native.layout().setContentsMargins(0, 0, 0, 0)

    def takes(self, name: str) -> bool:
        """Whether the method has this parameter, shown here or not."""
        return any(field.name == name for field in fields(self._parameters))

    def values(self, **others: Any) -> Any:
        """The parameters as set, with what the form does not show given by name; may raise."""
        return self._parameters(
            **{name: widget.value for name, widget in self.widgets.items()}, **others
        )
