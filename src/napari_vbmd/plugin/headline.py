"""The large number of the Measure dock, and the lines that it cannot be read without."""

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from ..measurement.comparison import Comparison
from . import results
from .parts import Note

_EMPTY, _UNIT = "–", "Tt.vBMD, mg HA/cm³"


class Headline(QWidget):
    """Tt.vBMD ± SD, its change, its unit, its calibration, and the agreement with an expert."""

    def __init__(self):
        super().__init__()
        self.number = QLabel(_EMPTY)
        self.number.setStyleSheet("font-size: 26pt; font-weight: bold;")
        self.number.setToolTip("Mean density within the mask, mg HA/cm³, ± SD of its voxels")
        self.change = Note(quiet=False)
        self.change.setToolTip("Against the first measurement of this mask in this window")
        self.unit = Note(_UNIT)
        self.agreement = QLabel()
        self.agreement.setWordWrap(True)
        self.agreement.setVisible(False)
        self.source = Note()
        self.notes = Note()
        self.notes.setToolTip("Published ranges are a reason to look, not a limit")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (
            self.number,
            self.change,
            self.unit,
            self.agreement,
            self.source,
            self.notes,
        ):
            layout.addWidget(widget)

    def show_numbers(self, comparison: Comparison, since: float | None) -> None:
        """Show a measurement, and how far it is from the first one [mg HA/cm3]."""
        m = comparison.measurement
        spread = (
            ""
            if m.tt_vbmd_sd_mg_cm3 is None
            else f"<span style='font-size: 14pt;'> ± {m.tt_vbmd_sd_mg_cm3:.1f}</span>"
        )
        self.number.setText(f"{m.tt_vbmd_mg_cm3:.1f}{spread}")
        changed = since is not None and f"{since:.1f}" != f"{m.tt_vbmd_mg_cm3:.1f}"
        self.change.say(f"{m.tt_vbmd_mg_cm3 - since:+.1f} since opening" if changed else "")
        self.unit.say("Tt.vBMD ± SD of voxels, mg HA/cm³")
        self.agreement.setText(results.agreement(comparison))
        self.agreement.setVisible(comparison.overlap is not None)
        self.source.say(results.calibration_line(m.calibration))
        self.notes.say("\n".join(results.sentences(m.notes)))

    def clear(self) -> None:
        """Show that there is no number."""
        self.number.setText(_EMPTY)
        self.unit.say(_UNIT)
        self.agreement.setVisible(False)
        for note in (self.change, self.source, self.notes):
            note.say("")

    def allow(self, calibrated: bool) -> None:
        """Hide all where no density can be given."""
        for widget in (self.number, self.unit, self.source):
            widget.setVisible(calibrated and bool(widget.text()))
