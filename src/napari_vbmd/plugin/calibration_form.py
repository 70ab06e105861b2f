"""The constants that a scan lacks, typed in by a person; nothing is filled in for them."""

from qtpy.QtCore import Signal
from qtpy.QtGui import QDoubleValidator
from qtpy.QtWidgets import QComboBox, QFormLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from ..calibration import UNIT_NAMES, UNITS
from ..errors import ParameterError, VbmdError
from .job import sentence
from .layers import scan_of, set_calibration
from .parts import Note

_FIELDS = (
    ("mu_scaling", "mu scaling", "Native units per 1/cm of attenuation; in every ISQ header"),
    ("mu_water_per_cm", "mu of water", "Attenuation of water, 1/cm; needed for Hounsfield units"),
    ("density_slope", "slope", "Density slope, mg HA/cm3 per 1/cm"),
    ("density_intercept", "intercept", "Density at zero attenuation, mg HA/cm3; often near -390"),
)
_NEEDED = {
    "native": ("mu_scaling", "density_slope", "density_intercept"),
    "mu": ("density_slope", "density_intercept"),
    "hu": ("mu_water_per_cm", "density_slope", "density_intercept"),
    "density": (),
}


class CalibrationForm(QWidget):
    """Unit and constants of one image layer.

    Signals
    -------
    calibrated(object)
        The layer, once its scan has what a density needs.
    """

    calibrated = Signal(object)

    def __init__(self):
        super().__init__()
        self._layer = None
        self.unit = QComboBox()
        for unit in UNITS:
            self.unit.addItem(UNIT_NAMES[unit], unit)
        self.unit.setToolTip("What the numbers stored in this file are")
        self.unit.currentIndexChanged.connect(self._show_needed)
        self.fields = {}
        self._form = form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Stored values", self.unit)
        for name, text, tooltip in _FIELDS:
            field = self.fields[name] = QLineEdit()
            validator = QDoubleValidator()
            validator.setLocale(validator.locale().c())
            field.setValidator(validator)
            field.setPlaceholderText("not known")
            field.setToolTip(tooltip)
            field.returnPressed.connect(self.apply)
            form.addRow(text, field)
        self.use = QPushButton("Use these constants")
        self.use.setToolTip("Convert this scan's values with the constants above")
        self.use.clicked.connect(self.apply)
        self.note = Note(
            "From the scanner's calibration report, or the processing log of any AIM of the same "
            "scanner and day (“Density: slope”, “Density: intercept”, “HU: mu water”)."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addWidget(self.note)
        layout.addWidget(self.use)

    def show_layer(self, layer) -> None:
        """Show what is known of a layer's scan; None, or no scan: there is nothing to fill in."""
        try:
            scan = scan_of(layer) if layer is not None else None
        except VbmdError:  # the dock around says why
            scan = None
        self._layer = layer if scan else None
        self.setEnabled(scan is not None)
        if scan is None:
            return
        self.unit.setCurrentIndex(self.unit.findData(scan.unit))
        for name, field in self.fields.items():
            known = getattr(scan.calibration, name) if scan.calibration else None
            field.setText("" if known is None else f"{known:.9g}")
        self._show_needed()

    def apply(self) -> None:
        """Take the constants over; what is wrong with them is said below the form."""
        if self._layer is None:
            return
        try:
            constants = {name: _number(field.text()) for name, field in self.fields.items()}
            trial = scan_of(self._layer).calibrated(unit=self.unit.currentData(), **constants)
            trial.density_transform()
            set_calibration(self._layer, self.unit.currentData(), **constants)
        except VbmdError as error:
            self.note.say(sentence(error))
            return
        self.note.say("")
        self.calibrated.emit(self._layer)

    def _show_needed(self) -> None:
        needed = _NEEDED[self.unit.currentData()]
        for name, field in self.fields.items():
            self._form.setRowVisible(field, name in needed)


def _number(text: str) -> float | None:
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise ParameterError(f"{text}: not a number; write it as 1603.5") from None
