"""The dock Agreement: a study's table as two plots and their numbers; a click opens a patient."""

from collections.abc import Iterator
from pathlib import Path

from qtpy.QtCore import QSignalBlocker, QTimer
from qtpy.QtWidgets import QComboBox, QFileDialog

from ..errors import VbmdError
from ..measurement.agreement_tables import agreement_lines, precision_lines
from ..study.agreement import Quantity, agree_on
from ..study.agreement_columns import PATIENT, Columns, likely_pair
from ..study.agreement_files import names_of
from ..study.csv_rows import Row
from ..study.result_table import ResultTable, read_table
from . import agreement_text
from .agreement_exports import AgreementExports
from .agreement_plot import AgreementCanvas
from .job import sentence
from .number_table import NumberTable
from .parts import Note, Page, RunBar, Warnings
from .patient_layers import PatientFiles, PatientLayers, read_patient
from .picker import narrow

_NONE = "none"
_BREATH_MS = 10  # between two layers: what was drawn comes into sight, keys are heard
_CLICK = "Click a point to open its scan and masks."


class AgreementDock(Page):
    """Agreement and precision over the rows of a table."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer)
        self.table: ResultTable | None = None
        self.quantity: Quantity | None = None
        self._patients = PatientLayers(napari_viewer)
        self._opened: Row | None = None
        self._marked: Row | None = None
        self._steps: Iterator | None = None
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_BREATH_MS)
        self._later.timeout.connect(self._step)
        self._lay_out()
        for picker in self._pickers:
            picker.currentIndexChanged.connect(lambda _: self._compare())
        self.run_bar.button.clicked.connect(lambda _: self.open_table())
        self.plot.pair_clicked.connect(self.open_patient)
        napari_viewer.events.theme.connect(self._draw)

    @property
    def busy(self) -> bool:
        """Whether a table or a patient is being opened."""
        return self.run_bar.running or self._steps is not None

    def open_table(self, path: str = "") -> None:
        """Read a table in the background; asks which when no path is given."""
        path = path or QFileDialog.getOpenFileName(self, "Open table", "", "Table (*.csv)")[0]
        if path:
            self.run_bar.run(
                lambda progress: read_table(path), f"Reading {Path(path).name}", self._show_table
            )

    def open_patient(self, pair: int) -> None:
        """Open the scan and the masks of one point, in the background."""
        if self.busy:
            return
        row = self.quantity.row_of(pair)
        self._mark(row)
        if row is self._opened and self._patients.is_shown():
            return
        folder = self.table.path.parent

        def work(progress) -> PatientFiles:
            try:
                return read_patient(row.cells, folder, progress)
            except VbmdError as error:
                raise type(error)(f"line {row.line}: {error}") from error

        def show(files: PatientFiles) -> None:
            self._opened, kept = row, self._patients.edited()
            self.run_bar.message.say(f"{kept} has unsaved edits: it stays, hidden." if kept else "")
            self._steps = self._patients.exchange(files)
            self._step()

        self.run_bar.run(work, f"Opening {agreement_text.title(row)}", show)

    def stop(self) -> None:
        """End what goes on, and let the viewer be."""
        super().stop()
        self._later.stop()
        self._patients.end()

    def _step(self) -> None:
        """One layer more, or less; the window lives in between."""
        try:
            next(self._steps)
            self._later.start()
        except StopIteration:
            self._steps = None
        except Exception:
            self._steps = None
            raise

    def _show_table(self, table: ResultTable) -> None:
        self.table, self._opened, self._marked = table, None, None
        count = len(table.rows)
        self.file.say(f"{table.path.name}, {count} row{'' if count == 1 else 's'}")
        self.run_bar.message.say("")
        numeric = [column for column in table.columns if table.is_numeric(column)]
        ours, reference = likely_pair(table, numeric)
        patient = PATIENT if PATIENT in table.columns else _NONE
        for picker, columns, chosen in (
            (self.ours, numeric, ours),
            (self.reference, [_NONE, *numeric], reference or _NONE),
            (self.patient, [_NONE, *filter(None, table.columns)], patient),
            (self.repeat, [_NONE, *filter(None, table.columns)], _NONE),
        ):
            with QSignalBlocker(picker):
                picker.clear()
                picker.addItems(columns)
                picker.setCurrentText(chosen)
        self._compare()

    def _compare(self) -> None:
        """Compute for the columns chosen, and show it."""
        if self.table is None:
            return
        columns = Columns(
            self.ours.currentText(),
            *(
                None if (text := picker.currentText()) == _NONE else text
                for picker in (self.reference, self.patient, self.repeat)
            ),
        )
        self.quantity, problem = None, ""
        if not columns.ours:
            problem = "This table has no column of numbers."
        elif columns.reference is None and columns.repeat is None:
            problem = "Choose a reference, or the column of repeats."
        else:
            try:
                self.quantity = agree_on(self.table, columns)
            except VbmdError as error:
                problem = sentence(error)
        self.problem.say(problem)
        self._show()

    def _show(self) -> None:
        quantity, lines = self.quantity, []
        if quantity is not None and quantity.agreement is not None:
            lines += agreement_lines(quantity.agreement, quantity.unit)
        if quantity is not None:
            for column, found in quantity.precision.items():
                name = "ours" if column == quantity.columns.ours else "reference"
                lines += precision_lines(found, quantity.unit, name)
        self.numbers.fill(agreement_text.rows(lines))
        self.exports.offer(quantity, lines)
        self.warnings.list(quantity.warnings if quantity else [])
        self.missing.say(agreement_text.missing(lines))
        self.left_out.say(agreement_text.left_out(quantity) if quantity else "")
        shown = bool(quantity and quantity.agreement)
        self.picked.setVisible(shown)
        self.plot.setVisible(shown)
        self.numbers.setVisible(bool(lines))
        self.about.say(agreement_text.heading(quantity.unit) if lines else "")
        self._draw()

    def _draw(self, event=None) -> None:
        if self.quantity is None or self.quantity.agreement is None:
            self.plot.clear()
            return
        pairs = range(self.quantity.agreement.n)
        titles = [agreement_text.title(self.quantity.row_of(pair)) for pair in pairs]
        dark = self.viewer.theme != "light"
        self.plot.plot(self.quantity.agreement, names_of(self.quantity), titles, dark)
        self._mark(self._marked)

    def _mark(self, row: Row | None) -> None:
        """Ring a row's point, and say its values; nothing where it is not compared."""
        self._marked, quantity = row, self.quantity
        pairs = range(quantity.agreement.n)
        pair = next((pair for pair in pairs if quantity.row_of(pair) is row), None)
        self.plot.mark(pair)
        self.picked.say(_CLICK if pair is None else agreement_text.point(quantity, pair, row))

    def _lay_out(self) -> None:
        self.run_bar = RunBar("Open table …", "Open a CSV with a row for each patient")
        self.file = Note("A table with a row for each patient, of measure, run or a spreadsheet.")
        self.body.addWidget(self.file)
        form = self.form()
        self.ours = _picker("The column that is judged")
        self.reference = _picker("The column that it is compared with, in the same unit")
        self.patient = _picker("The column that says who each row is of")
        self.repeat = _picker(
            "The column that numbers a patient's measurements: gives the precision error"
        )
        self._pickers = self.ours, self.reference, self.patient, self.repeat
        for name, picker in zip(
            ("Ours", "Reference", "Patient", "Repeat"), self._pickers, strict=True
        ):
            form.addRow(name, picker)
        self.problem, self.warnings = Note(quiet=False), Warnings()
        self.plot, self.numbers = AgreementCanvas(), NumberTable()
        self.picked = Note(quiet=False)
        self.picked.setMinimumHeight(2 * self.picked.fontMetrics().lineSpacing())
        self.about, self.missing, self.left_out = Note(), Note(), Note()
        self.exports = AgreementExports(self.run_bar)
        for widget in (
            self.problem,
            self.warnings,
            self.picked,
            self.plot,
            self.about,
            self.numbers,
            self.missing,
            self.left_out,
            self.exports,
        ):
            self.body.addWidget(widget)
        for widget in (self.plot, self.numbers):
            widget.setVisible(False)
        self.body.addStretch()
        self.footer.addWidget(self.run_bar)


def _picker(tooltip: str) -> QComboBox:
    picker = QComboBox()
    picker.setToolTip(tooltip)
    narrow(picker)
    return picker
