"""Taking the numbers along: clipboard, CSV, and the one-page report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QWidget

from ..errors import VbmdError
from ..io.atomic import written_whole
from ..measurement.accumulator import DensityAccumulator
from ..measurement.comparison import Comparison
from ..measurement.part_tables import Bone
from ..scan import Mask, Scan
from . import results
from .job import sentence
from .parts import RunBar, small_button


@dataclass(frozen=True)
class Measured:
    """A comparison with what it was made from, as it was then, and the sums of every label."""

    comparison: Comparison
    scan: Scan
    sums: DensityAccumulator
    mask: Mask
    expert: Mask | None

    @property
    def names(self) -> tuple[str, str, str | None]:
        """Of scan, mask and expert."""
        return self.scan.name, self.mask.name, self.expert.name if self.expert else None


class ExportRow(QWidget):
    """Copy, CSV and Report, for what was measured last.

    Parameters
    ----------
    run_bar : RunBar
    bones : callable
        What of a measurement has rows of its own, beside the whole mask.
    """

    def __init__(self, run_bar: RunBar, bones: Callable[[Measured], list[Bone]]):
        super().__init__()
        self._bones = bones
        self._measured: Measured | None = None
        self._run_bar = run_bar
        self.copy_button = small_button("Copy", "Copy the table for a spreadsheet", self.copy)
        self.csv_button = small_button("CSV …", "Save the numbers, per slice too", self.save_csv)
        self.report_button = small_button(
            "Report …", "Save one page with pictures and numbers (HTML)", self.save_report
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.copy_button, self.csv_button, self.report_button):
            row.addWidget(button)
        row.addStretch()
        self.offer(None)

    def offer(self, measured: Measured | None) -> None:
        """Offer this measurement; None: nothing was measured."""
        self._measured = measured
        self.setEnabled(measured is not None)

    def copy(self) -> None:
        """Put the table on the clipboard."""
        QApplication.clipboard().setText(self._as(results.as_text))
        self._run_bar.message.say("Copied; paste it into a spreadsheet.")

    def save_csv(self, path: str = "") -> None:
        """Save the table and the slices as CSV; asks where when no path is given."""
        path = path or self._ask("Save numbers", "vbmd.csv", "CSV (*.csv)")
        if not path:
            return
        try:
            _write(path, self._as(results.as_csv))
        except VbmdError as error:
            self._run_bar.complain(sentence(error))
            return
        self._saved(path)

    def save_report(self, path: str = "") -> None:
        """Save the report as HTML, drawn in the background; asks where when no path is given."""
        path = path or self._ask("Save report", "vbmd_report.html", "HTML (*.html)")
        if not path:
            return
        measured = self._measured

        def work(progress: Callable) -> str:
            _write(path, _report(measured, progress))
            return path

        self._run_bar.run(work, "Writing the report", self._saved)

    def _as(self, form: Callable[..., str]) -> str:
        measured = self._measured
        return form(measured.comparison, *measured.names, self._bones(measured))

    def _saved(self, path: str) -> None:
        self._run_bar.message.say(f"Saved {Path(path).name}.")

    def _ask(self, title: str, name: str, kinds: str) -> str:
        return QFileDialog.getSaveFileName(self, title, name, kinds)[0]


def _report(measured: Measured, progress: Callable) -> str:
    # matplotlib's figures are wanted only now
    from ..report import figure_png, overlay_figure, profile_figure, report_html

    progress(0.1, "drawing the outlines")
    overlay = figure_png(overlay_figure(measured.scan, measured.mask, measured.expert))
    progress(0.6, "drawing density along z")
    profile = figure_png(profile_figure(measured.comparison))
    progress(0.9, "writing the page")
    return report_html(measured.scan, measured.comparison, overlay, profile)


def _write(path: str, text: str) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
