"""The dock Worklist: the cases of a manifest one by one, each saved before the next comes."""

from pathlib import Path

from napari.layers import Labels
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFileDialog, QFormLayout, QLineEdit, QWidget

from ..study.worklist import APPROVED, CORRECTED, STATUSES
from .case_box import CaseBox
from .case_table import MARKS, CaseTable
from .desk import Desk
from .keys import LayerKeys
from .parts import Note, Page, RunBar, small_button
from .picker import LayerPicker
from .settings import settings

_ANNOTATOR, _MANIFEST = "worklist/annotator", "worklist/manifest"
_CLOCK_MS = 5000
_HINT = (
    "A manifest is a table (CSV) with a column “scan”, one file a row, and “mask”, “expert”, "
    "“side”, “patient” where they are known. It is never written to: what you do is kept beside it."
)


class WorklistDock(Page):
    """A manifest's cases, what is known of each, and the one in view."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer, "Correct", "Tools to correct the mask →")
        self.run_bar = RunBar(
            "Save mask and next",
            "Save the mask, call the case corrected, and show the next one (Shift+R)",
        )
        self.mask = LayerPicker(
            napari_viewer, Labels, "The layer that is saved as this case's mask", none="no mask"
        )
        self.mask.setFocusPolicy(Qt.NoFocus)  # letters are keys of the viewer
        self.desk = Desk(napari_viewer, self.mask, self.run_bar)
        self.table = CaseTable()
        self.case = CaseBox(self.desk, self.mask, self._open_segment)
        self.keys = LayerKeys(self._commands(), "Everywhere in the viewer, with a worklist open")
        self._lay_out()
        self.desk.opened.connect(self._show_manifest)
        self.desk.changed.connect(self._show_records)
        self.desk.shown.connect(self._show_case)
        self.desk.conflicted.connect(self._come_forward)
        self.table.chosen.connect(self._go_to)
        self.run_bar.button.clicked.connect(self._save_and_next)
        self._clock = QTimer(self)
        self._clock.setInterval(_CLOCK_MS)
        self._clock.timeout.connect(self.case.show_record)
        self._clock.start()
        self._remember_name()
        self._show_case()

    def open_manifest(self, path: str = "") -> None:
        """Open a manifest; asks which when no path is given."""
        if not path:
            last = str(settings().value(_MANIFEST, ""))
            path = QFileDialog.getOpenFileName(self, "Open manifest", last, "Manifest (*.csv)")[0]
        if path:
            self.desk.open(path)

    def choose_folder(self, folder: str = "") -> None:
        """Choose where new masks go; asks where when no folder is given."""
        folder = folder or QFileDialog.getExistingDirectory(
            self, "Masks go to", str(self.desk.folder)
        )
        if folder:
            self.desk.folder = Path(folder)
            self._show_folder()

    def stop(self) -> None:
        """The layers of the case stay; the keys go with the dock."""
        super().stop()
        self._clock.stop()
        self.keys.leave()
        self.desk.leave()

    def _save_and_next(self) -> None:
        self.desk.step(+1, CORRECTED)

    def _approve_and_next(self) -> None:
        self.desk.step(+1, APPROVED)

    def _commands(self) -> dict:
        return {
            "Shift-W": ("Next case; edits are saved", lambda: self.desk.step(+1)),
            "Shift-Q": ("Case before; edits are saved", lambda: self.desk.step(-1)),
            "Shift-R": ("Save mask and next: corrected", self._save_and_next),
            "Shift-T": ("Approve and next", self._approve_and_next),
        }

    def _go_to(self, key: str) -> None:
        self.desk.go(next(c for c in self.desk.worklist.manifest.cases if c.key == key))

    def _open_segment(self) -> None:
        page = self.open_dock("Segment")
        page.scan.pick(self.desk.layers.scan)
        if self.desk.case.slices is not None:
            page.slices.limit_to(*self.desk.case.slices)

    def _show_manifest(self) -> None:
        worklist = self.desk.worklist
        settings().setValue(_MANIFEST, str(worklist.manifest.path))
        self.resume.hide()
        self.hint.hide()
        self.table.list(worklist)
        for widget in (self.table, self.masks):
            widget.setVisible(True)
        self.keys.follow_viewer(self.viewer)
        self._show_folder()
        self._show_records()

    def _show_folder(self) -> None:
        self.folder.setText(f"{self.desk.worklist.relative(self.desk.folder)} …")
        self.folder.setToolTip(f"New masks are saved in {self.desk.folder}; choose another folder")

    def _show_records(self) -> None:
        desk = self.desk
        counts = ", ".join(f"{MARKS[one]} {desk.worklist.count(one)} {one}" for one in STATUSES)
        self.summary.say(f"{desk.worklist.manifest.path.name}: {counts}")
        self.table.show_records(desk.worklist, desk.problems, desk.case)

    def _show_case(self) -> None:
        if self.desk.case is None:
            reason = "Open a manifest first"
        else:
            reason = "" if self.desk.has_scan else "This scan cannot be opened; go on with Next"
        self.run_bar.allow(reason)
        self.approve.setEnabled(not reason)

    def _come_forward(self, conflict: str) -> None:
        """Show the choice that a conflict leaves, though another dock may lie in front."""
        if conflict and self.parentWidget() is not None:
            self.parentWidget().raise_()

    def _remember_name(self) -> None:
        self.desk.annotator = self.annotator.text().strip()
        settings().setValue(_ANNOTATOR, self.desk.annotator)

    def _lay_out(self) -> None:
        self.open_button = small_button(
            "Open manifest …", "A CSV that names one scan a row", self.open_manifest
        )
        self.body.addWidget(self.open_button)
        last = Path(str(settings().value(_MANIFEST, "")))
        self.resume = small_button(
            f"Go on with {last.name}", f"Open {last} again", lambda: self.open_manifest(str(last))
        )
        self.resume.setVisible(last.is_file())
        self.body.addWidget(self.resume)
        self.hint = Note(_HINT)
        self.body.addWidget(self.hint)
        form = QFormLayout()
        self.annotator = QLineEdit(str(settings().value(_ANNOTATOR, "")))
        self.annotator.setPlaceholderText("your name")
        self.annotator.setToolTip("Stands beside every mask and status that you save")
        self.annotator.editingFinished.connect(self._remember_name)
        self.annotator.returnPressed.connect(self.annotator.clearFocus)
        form.addRow("Annotator", self.annotator)
        self.body.addLayout(form)
        self.masks = QWidget()
        row = QFormLayout(self.masks)
        row.setContentsMargins(0, 0, 0, 0)
        self.folder = small_button("", "", self.choose_folder)
        row.addRow("Masks go to", self.folder)
        self.summary = Note()
        for widget in (self.masks, self.summary):
            self.body.addWidget(widget)
        self.body.addWidget(self.table, stretch=1)
        self.body.addWidget(self.case)
        self.body.addStretch(0)  # what is left over, as long as there is no table
        self.help = small_button("? Keys", "List the keys that work now (F1)", self.keys.show)
        self.body.addWidget(self.help)
        self.approve = small_button(
            "Approve",
            "Save the mask, call the case approved, and show the next one (Shift+T)",
            self._approve_and_next,
        )
        self.run_bar.layout().itemAt(self.run_bar.layout().count() - 1).insertWidget(
            1, self.approve
        )
        self.footer.addWidget(self.run_bar)
        for widget in (self.table, self.masks):
            widget.setVisible(False)
