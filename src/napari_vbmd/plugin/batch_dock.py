"""The dock Batch: a manifest, a method, a folder; the table grows while another process works."""

from collections import Counter

from napari.utils.notifications import show_error
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHeaderView,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from ..errors import ParameterError, VbmdError
from ..segmentation.configurations import CONFIGURATIONS
from ..segmentation.methods import METHODS, default_method
from .batch_process import BatchProcess
from .job import sentence
from .parts import Note, Page, RunBar, Warnings
from .path_row import PathRow

_GOES_ON = "The batch goes on when napari is closed. To see it again, choose its folder here."
_MARKS = {"done": "● done", "skipped": "● done before", "failed": "⚠ failed"}
_COLUMNS = (
    ("Patient", "Who; the tooltip of a row says more"),
    ("Status", "Done, done before by the same means, or failed"),
    ("Tt.vBMD\nmg HA/cm³", "Density within the mask, over all its slices"),
)
_MOST_WORKERS = 64


class BatchDock(Page):
    """Starts and stops a batch, or looks on at one that another window started."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer, "Agreement", "Next: agreement over the table →")
        self.run_bar = RunBar("Run", "Run every scan of the manifest that is not done yet")
        self.counts, self.groups, self.goes_on = Note(quiet=False), Warnings(), Note()
        self.table = _Table()
        self.process = BatchProcess(self)
        self.choices = self._make_choices()
        for widget in (self.choices, self.counts, self.groups):
            self.body.addWidget(widget)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.goes_on)
        self.footer.addWidget(self.run_bar)
        self.run_bar.cancel.setText("Stop")
        self.run_bar.cancel.setToolTip("Stop; what is done stays, and the same choices go on")
        self.run_bar.cancel.clicked.connect(self._stop)
        self.run_bar.button.clicked.connect(self.run)
        self.out.changed.connect(self._show_folder)
        self.process.changed.connect(self._show)
        self.process.said.connect(self._tell)
        self.process.ended.connect(self._end)

    def run(self) -> None:
        """Start, or go on."""
        try:
            self.process.start(self.words(), self.out.path)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        self.run_bar.bar.setValue(0)
        self.run_bar.message.say("Starting …")
        self._set_running(True)

    def stop(self) -> None:
        """The dock was closed: look no further. The batch goes on."""
        super().stop()
        self.process.leave()

    def words(self) -> list[str]:
        """What stands after ``napari-vbmd batch``.

        Raises
        ------
        ParameterError
            When manifest or folder are not given.
        """
        if self.manifest.path is None or not self.manifest.path.is_file():
            raise ParameterError("Choose the manifest: a CSV that names the scans")
        if self.out.path is None:
            raise ParameterError("Choose a folder for the results")
        words = [str(self.manifest.path), "--out", str(self.out.path)]
        words += ["--method", self.method.currentText(), "--workers", str(self.workers.value())]
        return [*words, "--compartments"] if self.compartments.isChecked() else words

    def _make_choices(self) -> QWidget:
        self.manifest = PathRow(
            "Choose the manifest",
            "A CSV with a row a scan: scan, expert, side, patient, …",
            "CSV (*.csv)",
            "cases.csv",
        )
        self.out = PathRow(
            "Choose the results' folder",
            "For a folder a patient, and batch.csv; one with a table in it shows that",
            example="cohort",
        )
        self.method, self.workers, self.about = QComboBox(), QSpinBox(), Note()
        self.method.setToolTip("How every scan is segmented, with the method's own parameters")
        usable = [name for name in METHODS if name not in CONFIGURATIONS or _shipped(name)]
        self.method.addItems(usable)
        self.method.currentTextChanged.connect(lambda name: self.about.say(METHODS[name].summary))
        self.about.say(METHODS[usable[0]].summary)
        self.method.setCurrentText(default_method())
        self.workers.setRange(1, _MOST_WORKERS)
        self.workers.setToolTip("Patients at a time; fewer where the memory does not suffice")
        self.compartments = QCheckBox("Cortex and trabeculae")
        self.compartments.setToolTip(
            "Measure both compartments of each bone, too; patients done without are done again"
        )
        choices = QWidget()
        form = QFormLayout(choices)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        form.addRow("Manifest", self.manifest)
        form.addRow("Folder", self.out)
        form.addRow("Method", self.method)
        form.addRow(self.about)
        form.addRow(self.compartments)
        form.addRow("Workers", self.workers)
        return choices

    def _stop(self) -> None:
        self.run_bar.message.say("Stopping …")
        self.process.stop()

    def _show_folder(self) -> None:
        """Show the table that the folder holds, if it holds one."""
        self.run_bar.message.say("")
        if self.out.path is not None:
            self.process.show(self.out.path)
            self._set_running(self.process.running)

    def _show(self, rows: list[dict[str, str]]) -> None:
        self.table.list(rows)
        found = Counter(row.get("status", "") for row in rows)
        words = {"done": "done", "skipped": "done before", "failed": "failed"}
        self.counts.say(
            ", ".join(f"{found[key]} {word}" for key, word in words.items() if found[key])
        )
        groups = len({row["group"] for row in rows if row.get("group")})
        unlike = f"{groups} groups of scans that must not be pooled unseen: see the rows' tooltips"
        self.groups.list([unlike] if groups > 1 else [])

    def _tell(self, fraction: float, words: str) -> None:
        self.run_bar.bar.setValue(round(100 * fraction))
        self.run_bar.message.say(words)

    def _end(self, how: str, is_error: bool) -> None:
        self._set_running(False)
        self.run_bar.message.say(how)
        if is_error:
            show_error(how)

    def _set_running(self, running: bool) -> None:
        self.run_bar.show_running(running)
        self.goes_on.say(_GOES_ON if running else "")
        self.choices.setEnabled(not running)
        self.choices.setToolTip("Nothing can be changed while the batch runs" if running else "")


class _Table(QTableWidget):
    """The batch's table as far as it is: who, how it went, the density."""

    def __init__(self):
        super().__init__(0, len(_COLUMNS))
        for column, (text, tooltip) in enumerate(_COLUMNS):
            item = QTableWidgetItem(text)
            item.setToolTip(tooltip)
            self.setHorizontalHeaderItem(column, item)
        head = self.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.Stretch)
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setWordWrap(False)
        self.setMinimumHeight(160)

    def list(self, rows: list[dict[str, str]]) -> None:
        """Show these rows, as texts of `batch.csv`."""
        self.setRowCount(len(rows))
        for i, row in enumerate(rows):
            density = row.get("tt_vbmd_mg_cm3", "")
            texts = (
                row.get("patient", ""),
                _MARKS.get(row.get("status", ""), row.get("status", "")),
                f"{float(density):.1f}" if density else "",
            )
            about = [row.get(name, "") for name in ("scan", "reason", "flags", "warnings")]
            for j, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip("\n".join(filter(None, about)))
                if j == 2:
                    item.setTextAlignment(Qt.AlignRight | Qt.AlignVCenter)
                self.setItem(i, j, item)


def _shipped(name: str) -> bool:
    return CONFIGURATIONS[name].weights_path is not None
