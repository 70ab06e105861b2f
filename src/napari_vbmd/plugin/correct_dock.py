"""The dock Correct: an annotator's tools, on the slice in view or on the whole mask."""

import math
from collections.abc import Callable

from napari.layers import Image, Labels
from qtpy.QtWidgets import QDoubleSpinBox, QGridLayout, QGroupBox, QVBoxLayout

from ..editing.on_scan import density_under
from ..editing.tools import TOOLS, Setting, Tool, clip
from ..errors import ParameterError, VbmdError
from .click_contour import KEY as CLICK_KEY
from .click_contour import ClickContour
from .job import sentence
from .keys import LayerKeys
from .layers import grid_of, mask_of, scan_of
from .mask_edit import Edit, apply_to, edit, room
from .parts import Note, Page, RunBar, small_button
from .picker import LayerPicker
from .slice_edit import apply_tool, copy_slice
from .slice_range import SliceRange, go_to_slice, slice_in_view

_CHANGED = "The mask was changed meanwhile; nothing was done. Try again."


class CorrectDock(Page):
    """Tools for one label of a mask; each is one undo step and has a key."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer, "Measure", "Next: measure the density →")
        self.mask = LayerPicker(napari_viewer, Labels, "The mask to correct")
        self.scan = LayerPicker(napari_viewer, Image, "The scan whose edges outlines snap to")
        self.by = _millimetres(0.1, 0.02, "How far Grow and Shrink move the outline; SD of Smooth")
        self.reach = _millimetres(0.4, 0.1, "How far Snap to edge may move the outline")
        self.slices = SliceRange(napari_viewer)
        self.contour = ClickContour(napari_viewer, self)
        self.run_bar = RunBar("Fill between slices", "Fill the empty slices between painted ones")
        self.buttons = {}
        self.keys = LayerKeys(self._commands())
        self._lay_out()
        self.mask.picked.connect(self._show_mask)
        self.run_bar.button.clicked.connect(lambda: self.run_on_all(_tool("Fill between slices")))
        self._show_mask(self.mask.layer)

    def run_on_slice(self, tool: Tool) -> None:
        """Run a tool on the slice in view."""
        self._at_once(tool.name, lambda layer, z: apply_tool(layer, z, tool, self._setting(tool)))

    def copy(self, step: int) -> None:
        """Copy the slice in view to the next (+1) or the previous one (-1), and go there."""

        def copied(layer: Labels, z: int) -> int:
            to = z + step
            if not 0 <= to < len(layer.data):
                raise ParameterError("There is no slice beyond this one.")
            count = copy_slice(layer, z, to)
            go_to_slice(self.viewer, layer, to)
            return count

        self._at_once("Copied", copied)

    def run_on_all(self, tool: Tool) -> None:
        """Run a tool on the whole mask, in the background."""
        self._in_background(
            tool.name,
            lambda setting: lambda part, _, tell: tool.run(part, setting, False, tell),
            tool,
        )

    def clip(self) -> None:
        """Take away what lies outside of the slice range."""
        chosen = self.slices.value()
        if chosen is None:
            self.run_bar.complain("Tick “Only these slices” and set the range first.")
            return
        first, last = chosen
        self._in_background(
            f"Clip to slices {first} to {last}",
            lambda setting: (
                lambda part, _, tell: clip(
                    part, max(0, first - setting.first), last - setting.first
                )
            ),
        )

    def stop(self) -> None:
        """End what goes on, a wait for a click too; the keys go with the dock."""
        super().stop()
        self.contour.stop()
        self.keys.leave()

    def on_slice(self, change: Callable[[Labels, int], str]) -> None:
        """Do something to the mask's slice in view, and say what was done or why not."""
        layer = self.mask.layer
        try:
            if layer is None:
                raise ParameterError("Choose a mask first.")
            grid_of(layer)
            if self.viewer.dims.ndisplay != 2 or self.viewer.dims.ndim - 3 in (
                self.viewer.dims.displayed
            ):
                raise ParameterError("Show slices along z in 2D to use the tools of one slice.")
            z = slice_in_view(self.viewer, layer)
            if not 0 <= z < len(layer.data):
                raise ParameterError("The slice in view lies outside of the mask's layer.")
            done = change(layer, z)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        self.run_bar.message.say(done)

    def _at_once(self, name: str, change: Callable[[Labels, int], int]) -> None:
        self.on_slice(lambda layer, z: f"{name}: {change(layer, z):,} voxels changed in one slice.")

    def _in_background(self, name: str, prepare: Callable, tool: Tool | None = None) -> None:
        layer = self.mask.layer
        try:
            if layer is None:
                raise ParameterError("Choose a mask first.")
            before = mask_of(layer)
            setting = self._setting(tool)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        selected = int(layer.selected_label)
        reach = max(setting.by_mm, setting.reach_mm)
        margin = [1 + math.ceil(reach / s) for s in before.grid.spacing_mm]

        def work(progress) -> Edit:
            box = room(before, margin)
            apply = prepare(setting.within(box))
            return edit(before, selected, [(name.lower(), apply)], progress, box)

        def show(done: Edit) -> None:
            if layer not in self.viewer.layers or not apply_to(layer, done):
                self.run_bar.complain(_CHANGED)
                return
            self.run_bar.message.say(done.describe())

        self.run_bar.run(work, name, show)

    def _setting(self, tool: Tool | None) -> Setting:
        grid = grid_of(self.mask.layer)
        density = None
        if tool is not None and tool.needs_scan:
            if self.scan.layer is None:
                raise ParameterError("Choose the scan whose edges count first.")
            density = density_under(scan_of(self.scan.layer), grid)
        z = slice_in_view(self.viewer, self.mask.layer)
        return Setting(grid.spacing_mm, self.by.value(), self.reach.value(), density, z)

    def _show_mask(self, layer) -> None:
        self.slices.follow(layer)
        self.keys.follow(layer)
        self.contour.stop()
        reason = "" if layer is not None else "Open or make a mask first"
        self.run_bar.allow(reason)
        for button in (*self.buttons.values(), self.contour.button):
            button.setEnabled(not reason)

    def _commands(self) -> dict[str, tuple[str, Callable]]:
        commands = {
            "Shift-N": ("Copy to the next slice", lambda: self.copy(+1)),
            "Shift-B": ("Copy to the slice before", lambda: self.copy(-1)),
            CLICK_KEY: ("Contour the bone under the next click, this slice", self.contour.toggle),
        }
        for tool in TOOLS:
            run = self.run_on_slice if tool.in_slice else self.run_on_all
            where = "this slice" if tool.in_slice else "the whole mask"
            commands[tool.key] = f"{tool.name}, {where}", lambda t=tool, r=run: r(t)
        return commands

    def _lay_out(self) -> None:
        form = self.form()
        form.addRow("Mask", self.mask)
        form.addRow("Scan", self.scan)
        form.addRow("By", self.by)
        form.addRow("Snap within", self.reach)
        form.addRow("Edge", self.contour.edge)
        here = [
            ("Copy to next", "Copy this slice to the next one (Shift-N)", lambda: self.copy(+1)),
            ("Copy to previous", "… to the one before (Shift-B)", lambda: self.copy(-1)),
        ]
        here += [
            (t.name, f"{t.summary} ({t.key})", lambda t=t: self.run_on_slice(t))
            for t in TOOLS
            if t.in_slice
        ]
        whole = [
            (t.name, f"{t.summary}, in 3D", lambda t=t: self.run_on_all(t))
            for t in TOOLS
            if t.in_slice and t.in_all
        ]
        self._group("This slice", here).addWidget(self.contour.button, len(here), 0, 1, 2)
        self._group("Whole mask", whole)
        group = QGroupBox("Slice range")
        layout = QVBoxLayout(group)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.slices)
        self.clip_button = small_button("Clip", "Remove the mask outside of the range", self.clip)
        layout.addWidget(self.clip_button)
        self.body.addWidget(group)
        self.body.addWidget(Note("Every tool is one undo step (Ctrl+Z)."))
        self.help = small_button("? Keys", "List the keys of the mask's layer (F1)", self.keys.show)
        self.body.addWidget(self.help)
        self.body.addStretch()
        self.footer.addWidget(self.run_bar)

    def _group(self, title: str, rows: list) -> QGridLayout:
        group = QGroupBox(title)
        grid = QGridLayout(group)
        grid.setContentsMargins(6, 6, 6, 6)
        for i, (text, tooltip, clicked) in enumerate(rows):
            button = self.buttons[title, text] = small_button(text, tooltip, clicked)
            grid.addWidget(button, i // 2, i % 2)
        self.body.addWidget(group)
        return grid


def _tool(name: str) -> Tool:
    return next(tool for tool in TOOLS if tool.name == name)


def _millimetres(value: float, step: float, tooltip: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0.01, 5.0)
    box.setDecimals(2)
    box.setSingleStep(step)
    box.setValue(value)
    box.setSuffix(" mm")
    box.setToolTip(f"{tooltip}, mm")
    return box
