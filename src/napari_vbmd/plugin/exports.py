"""Taking the numbers along: clipboard, CSV, and the one-page report."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
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

_REPORTS = "HTML (*.html);;PDF (*.pdf)"


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
            "Report …", "Save one page with pictures and numbers, HTML or PDF", self.save_report
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
        """Save the report as HTML or PDF, by the name's ending, drawn in the background.

        Asks where when no path is given.
        """
        path = path or self._ask_report()
        if not path:
            return
        measured, bones = self._measured, self._bones(self._measured)

        def work(progress: Callable) -> str:
            _write_report(Path(path), measured, bones, progress)
            return path

        self._run_bar.run(work, "Writing the report", self._saved)

    def _ask_report(self) -> str:
        """A path with an ending; that of the kind that was chosen where none was typed."""
        path, kind = self._choose_path("Save report", "vbmd_report.html", _REPORTS)
        if not path or Path(path).suffix:
            return path
        path += ".pdf" if "pdf" in kind else ".html"
        if Path(path).exists():  # nobody was asked whether it may go
            self._run_bar.complain(f"{path} exists: type its ending, too, to replace it")
            return ""
        return path

    def _as(self, form: Callable[..., str]) -> str:
        measured = self._measured
        return form(measured.comparison, *measured.names, self._bones(measured))

    def _saved(self, path: str) -> None:
        self._run_bar.message.say(f"Saved {Path(path).name}.")

    def _ask(self, title: str, name: str, kinds: str) -> str:
        return self._choose_path(title, name, kinds)[0]

    def _choose_path(self, title: str, name: str, kinds: str) -> tuple[str, str]:
        return QFileDialog.getSaveFileName(self, title, name, kinds)


def _write_report(path: Path, measured: Measured, bones: list[Bone], progress: Callable) -> None:
    """Write the page that ``napari-vbmd measure --report`` writes, of the layers as they were."""
    # matplotlib's figures are wanted only now
    from ..pipeline import check_report_paths, write_mask_report

    check_report_paths([path])
    mask, expert = (one and _nowhere(one) for one in (measured.mask, measured.expert))
    split = {bone.label: bone.compartments for bone in bones if bone.compartments}
    with written_whole(path, path.suffix) as temporary:
        scan = measured.scan
        if scan.path and not scan.format and not scan.path.is_absolute():  # a layer's name
            scan = _nowhere(scan)
        content = scan, mask, measured.comparison, expert, split
        write_mask_report([temporary], *content, progress=progress)
        progress(1.0, "the report is drawn")  # the last chance to cancel


def _nowhere(layer: Scan | Mask) -> Scan | Mask:
    """A layer is no file: one that bears the layer's name must not be taken for it."""
    return replace(layer, path=Path(os.devnull, layer.name))


def _write(path: str, text: str) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
