"""The case in view: what the manifest says of it, its status and mask, and what is in its way."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
)

from ..study.manifest import Case
from ..study.worklist import STATUSES
from .case_table import MARKS
from .desk import Desk
from .parts import Note, Warnings, small_button
from .picker import LayerPicker

_MEANINGS = ("Not looked through yet", "Corrected by an annotator", "Looked through and final")


class CaseBox(QGroupBox):
    """Shows the case that is in view at a desk."""

    def __init__(self, desk: Desk, picker: LayerPicker, open_segment):
        super().__init__("Case")
        self._desk, self._picker = desk, picker
        self.name, self.facts, self.minutes = Note(quiet=False), Note(), Note()
        self.warnings, self.conflict = Warnings(), Warnings()
        self.status: dict[str, QPushButton] = {}
        self.previous = small_button(
            "◀ Previous", "The case before; edits are saved (Shift+Q)", lambda: desk.step(-1)
        )
        self.next = small_button(
            "Next ▶", "The next case; edits are saved (Shift+W)", lambda: desk.step(+1)
        )
        self.segment = small_button(
            "Segment …", "Make a mask with the dock Segment; it becomes this case's", open_segment
        )
        self.empty = small_button(
            "Draw by hand", "Start with a mask without any voxel", desk.start_empty
        )
        self.keep_mine = small_button(
            "Save mine beside it",
            "Save your mask under a name of its own; the record names yours, their file stays",
            desk.keep_mine,
        )
        self.take_theirs = small_button(
            "Show theirs",
            "Open what the other one saved; your edits are kept aside, and offered when napari "
            "starts the next time",
            desk.take_theirs,
        )
        self._lay_out()
        desk.shown.connect(self.show_case)
        desk.changed.connect(self.show_record)
        desk.conflicted.connect(self._show_conflict)
        picker.picked.connect(lambda _: self._offer_mask())
        self.show_case()

    def show_case(self) -> None:
        """Show the case in view, or nothing."""
        case = self._desk.case
        self.setVisible(case is not None)
        if case is None:
            return
        cases = self._desk.worklist.manifest.cases
        self.setTitle(f"Case {cases.index(case) + 1} of {len(cases)}")
        self.name.say(case.name)
        self.name.setToolTip(str(case.scan))
        self.facts.say(facts_of(case))
        problem = self._desk.problems.get(case.key, "")
        self.warnings.list([problem] if problem else list(self._desk.files.warnings))
        for button in self.status.values():
            button.setEnabled(not problem)
        self._offer_mask()
        self.show_record()

    def show_record(self) -> None:
        """Show what is saved of the case, and its minutes."""
        desk = self._desk
        if desk.case is None:
            return
        record = desk.worklist.records[desk.case.key]
        for status, button in self.status.items():
            button.setChecked(status == record.status)
        who = f", {record.status} by {record.annotator}" if record.annotator else ""
        self.minutes.say(f"{record.minutes + desk.clock.time.minutes:.1f} min on this case{who}")

    def _offer_mask(self) -> None:
        """Say how a mask comes to be, where there is none."""
        wanted = self._desk.has_scan and self._picker.layer is None
        for widget in self._without_mask:
            widget.setVisible(wanted)

    def _show_conflict(self, text: str) -> None:
        self.conflict.list([text] if text else [])
        for button in (self.keep_mine, self.take_theirs):
            button.setVisible(bool(text))

    def _set_status(self, status: str) -> None:
        self._desk.save(status)
        self.show_record()  # the buttons show what is saved, not what was pressed

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        for note in (self.name, self.facts, self.warnings, self.conflict):
            layout.addWidget(note)
        self._add_row(layout, self.keep_mine, self.take_theirs)
        form = QFormLayout()
        form.addRow("Mask", self._picker)
        layout.addLayout(form)
        self.no_mask = Note("This case has no mask yet:", quiet=False)
        layout.addWidget(self.no_mask)
        self._add_row(layout, self.segment, self.empty)
        self._without_mask = self.no_mask, self.segment, self.empty
        row = QHBoxLayout()
        row.setSpacing(0)
        group = QButtonGroup(self)
        for status, meaning in zip(STATUSES, _MEANINGS, strict=True):
            button = self.status[status] = small_button(
                f"{MARKS[status]} {status}",
                f"{meaning}; saved at once, with the mask",
                lambda status=status: self._set_status(status),
            )
            button.setCheckable(True)
            button.setStyleSheet("QPushButton:checked { background: #0072B2; color: white; }")
            group.addButton(button)
            row.addWidget(button)
        layout.addLayout(row)
        layout.addWidget(self.minutes)
        self._add_row(layout, self.previous, self.next)
        self._show_conflict("")

    def _add_row(self, layout: QVBoxLayout, *buttons: QPushButton) -> None:
        row = QHBoxLayout()
        for button in buttons:
            button.setFocusPolicy(Qt.TabFocus)
            row.addWidget(button)
        layout.addLayout(row)


def facts_of(case: Case) -> str:
    """What the manifest says of a case, in one line."""
    told = [
        case.patient,
        f"{case.side} hand" if case.side else None,
        f"{case.age:g} years" if case.age is not None else None,
        case.sex,
        f"motion grade {case.motion_grade}" if case.motion_grade else None,
        f"slices {case.slices[0]} to {case.slices[1]}" if case.slices else None,
        *(f"{name}: {text}" for name, text in case.other.items() if text),
    ]
    return ", ".join(text for text in told if text)
