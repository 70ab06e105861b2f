"""The section Compartments of the dock Measure: cortical and trabecular numbers of each label.

They take a while, so they do not follow edits: with the first one they go out of sight, until the
mask is again what was split, or is measured anew.
"""

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QVBoxLayout, QWidget

from ..errors import VbmdError
from ..measurement.compartments import CORTICAL, TRABECULAR, Compartments
from ..measurement.split_labels import LabelSplits, split_labels
from . import results
from .exports import Measured
from .fold import Fold
from .job import sentence
from .layers import grid_of, mask_of
from .mask_watch import MaskWatch, snapshot
from .number_table import NumberTable
from .parts import Note, RunBar, Warnings, small_button
from .picker import LayerPicker
from .preview_layer import PreviewLayer

_NOT_YET = "Measure the mask first"
_STALE = "The mask was changed since: measure again"
_OTHER_SPLIT = "The trabecular mask is another one now: split again"
_COLORS = {CORTICAL: "#F0E442", TRABECULAR: "#009E73"}  # no colour of ours or the expert's
_OPACITY = 0.5


class CompartmentsSection(Fold):
    """Folded until somebody wants it.

    Signals
    -------
    changed()
        `shown` holds other numbers than before.
    """

    changed = Signal()

    def __init__(self, viewer, run_bar: RunBar):
        super().__init__("Compartments")
        self.toggleButton().setToolTip("Cortical and trabecular bone apart")
        self._run_bar = run_bar
        self._measured: Measured | None = None
        self._split: LabelSplits | None = None
        self._trabecular_was: tuple = ()
        self._why_held, self._label = _NOT_YET, None
        self._layer = PreviewLayer(viewer, self, _OPACITY)
        self._watch = MaskWatch(self)
        self._watch.compared.connect(self._note_trabecular)
        self._painted = self._other_trabecular = False
        self._lay_out(viewer)
        self.trabecular.picked.connect(lambda _: self._judge_trabecular())
        self.show_split.toggled.connect(lambda _: self._show_layer())
        self._show()

    @property
    def shown(self) -> dict[int, Compartments]:
        """By label, what is in sight: numbers of the mask as it is, or none."""
        held = self._why_held or self._other_trabecular or self._split is None
        return {} if held else self._split.numbers

    def offer(self, measured: Measured | None) -> None:
        """Belong to what was measured just now, or to nothing; what was found before goes."""
        self._measured, self._split = measured, None
        self._watch.follow([])
        self._layer.remove()
        self._why_held = "" if measured else _NOT_YET
        self._painted = self._other_trabecular = False
        self._show()

    def hold(self, changed: bool) -> None:
        """Show no number while the mask is not what was measured."""
        why = _STALE if changed else ""
        if self._measured is not None and why != self._why_held:
            self._why_held = why
            self._show()

    def show_label(self, label: int | None) -> None:
        """Show the numbers of this label, where there are several."""
        if label != self._label:
            self._label = label
            self._fill()

    def run(self) -> None:
        """Split every label of what was measured, in the background."""
        measured, layer = self._measured, self.trabecular.layer
        try:
            given = None if layer is None else mask_of(layer)
        except VbmdError as error:
            self._run_bar.complain(sentence(error))
            return
        basis, labels = self._trabecular_now(), measured.sums.labels()

        def work(progress):
            taken = None if given is None else snapshot(given)  # painting may go on meanwhile
            mask = None if taken is None else taken.mask
            return split_labels(measured.scan, measured.mask, labels, mask, progress), taken

        def show(done) -> None:
            if measured is not self._measured:
                return  # another layer was chosen meanwhile
            self._split, taken = done
            self._layer.remove()  # the picture of the split before
            self._trabecular_was, self._painted = basis, False
            self._other_trabecular = self._trabecular_now() != basis
            self._run_bar.message.say("")
            self._show()
            self._watch.follow([] if taken is None else [(layer, taken)])

        self._run_bar.run(work, f"Splitting {measured.mask.name}", show)

    def _trabecular_now(self) -> tuple:
        layer: Labels | None = self.trabecular.layer
        try:
            return (layer, None if layer is None else grid_of(layer))
        except VbmdError:
            return ()

    def _note_trabecular(self, same: bool) -> None:
        self._painted = not same
        self._judge_trabecular()

    def _judge_trabecular(self) -> None:
        """Whether the split rests on another trabecular mask than the one that is chosen now."""
        if self._split is None:
            return
        other = self._painted or self._trabecular_now() != self._trabecular_was
        if other != self._other_trabecular:
            self._other_trabecular = other
            self._show()

    def _show(self) -> None:
        why, had = self._why_held, self._split is not None
        self.button.setEnabled(not why)
        self.button.setToolTip(why or "Split each label and measure both parts")
        said = why or (_OTHER_SPLIT if self._other_trabecular else "")
        self.stale.list([f"{said}."] if had and said else [])
        self._fill()
        self._show_layer()
        self.changed.emit()

    def _fill(self) -> None:
        """The numbers of the label that is selected, or of the first."""
        shown = self.shown
        label = self._label if self._label in shown else next(iter(shown), None)
        found = shown.get(label)
        self.table.setVisible(found is not None)
        if found is None:
            for note in (self.heading, self.missing, self.method, self.warnings):
                note.say("")
            return
        self.heading.say(f"Label {label}" if len(shown) > 1 else "")
        self.table.fill(results.compartment_rows(found))
        self.missing.say("\n".join(results.missing_sentences(found)))
        self.method.say(f"Split by {found.method}.")
        self.warnings.list(results.sentences(found.warnings))

    def _show_layer(self) -> None:
        wanted = self.show_split.isChecked() and bool(self.shown)
        if wanted and self._layer.layer is None and self._split.mask is not None:
            name = f"{self._measured.mask.name} split"
            self._layer.show_mask(self._split.mask, name, _COLORS)
        elif not self.show_split.isChecked():
            self._layer.remove()
        elif self._layer.layer is not None:
            self._layer.layer.visible = wanted

    def _lay_out(self, viewer) -> None:
        self.trabecular = LayerPicker(
            viewer,
            Labels,
            "A mask of the trabecular compartment; without one, two thresholds split each bone",
            none="by two thresholds",
        )
        self.button = small_button("Cortex and trabeculae", "", self.run)
        self.show_split = QCheckBox("Show the split")
        self.show_split.setToolTip("A layer to look at: cortex yellow, trabeculae green")
        self.stale, self.warnings = Warnings(), Warnings()
        self.heading, self.missing, self.method = Note(quiet=False), Note(), Note()
        self.table = NumberTable()
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(0, 0, 0, 0)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        form.addRow("Trabecular", self.trabecular)
        layout.addLayout(form)
        for widget in (
            self.button,
            self.stale,
            self.heading,
            self.table,
            self.missing,
            self.warnings,
            self.method,
            self.show_split,
        ):
            layout.addWidget(widget)
        self.setContent(inner)
        self.collapse()
