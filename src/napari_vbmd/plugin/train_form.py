"""What a training is to learn from, as a form; gives the words of ``napari-vbmd train``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QSpinBox, QWidget
from superqt import QCollapsible

from ..errors import ParameterError
from ..segmentation.configurations import CONFIGURATIONS
from ..segmentation.inference import DEVICES
from ..study.presets import TRAINING_PRESETS
from ..study.train_record import COHORT
from ..study.train_settings import TASKS
from .parts import Note
from .path_row import PathRow

_KEPT = ("batch", "rate", "every", "validation", "label")  # of a training that goes on
_MOST_STEPS, _MOST_WORKERS = 1_000_000, 64


class TrainForm(QWidget):
    """Manifest, folder, network and preset; what is seldom changed is folded away."""

    def __init__(self):
        super().__init__()
        self.manifest = PathRow(
            "Choose the manifest",
            "A CSV with a row a scan: scan, mask, side, patient, …; see docs/training.md",
            "CSV (*.csv)",
            "cases.csv",
        )
        self.out = PathRow(
            "Choose the training's folder",
            "For weights, curves and checkpoint; a folder with a training in it shows that one",
            example="runs/unet-2d",
        )
        self.network, self.preset = QComboBox(), QComboBox()
        self.network.setToolTip("The network to be trained")
        self.network.addItems(list(TASKS))
        self.preset.setToolTip("How it is trained")
        self.preset.addItems(list(reversed(TRAINING_PRESETS)))
        self.about = Note()
        self._kept: dict[str, float] = {}
        self._make_advanced()
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        form.addRow("Manifest", self.manifest)
        form.addRow("Folder", self.out)
        form.addRow("Network", self.network)
        form.addRow("Preset", self.preset)
        form.addRow(self.about)
        form.addRow(self._advanced)
        self.network.currentIndexChanged.connect(self._show_choice)
        self.preset.currentIndexChanged.connect(self._show_choice)
        self._show_choice()

    def words(self) -> list[str]:
        """What stands after ``napari-vbmd train``.

        Raises
        ------
        ParameterError
            When manifest or folder are not given.
        """
        if self.manifest.path is None or not self.manifest.path.is_file():
            raise ParameterError("Choose the manifest: a CSV that names the scans")
        if self.out.path is None:
            raise ParameterError("Choose a folder for the training")
        words = [str(self.manifest.path), "--out", str(self.out.path)]
        words += ["--configuration", self.network.currentText()]
        words += ["--preset", self.preset.currentText(), "--device", self.device.currentText()]
        words += ["--steps", str(self.steps.value()), "--seed", str(self.seed.value())]
        for name, value in self._kept.items():
            words += [f"--{name}", f"{value:g}"]
        if self.hours.value():
            words += ["--minutes", f"{60 * self.hours.value():g}"]
        if self.workers.value():
            words += ["--workers", str(self.workers.value())]
        if self.encoder.path is not None and not self.encoder.isHidden():
            words += ["--encoder", str(self.encoder.path)]
        return words

    def take_up(self, settings: Mapping[str, Any], folder: Path) -> None:
        """Choose what the training in a folder was begun with, so that it can go on."""
        self._kept = {name: settings[name] for name in _KEPT if settings.get(name) is not None}
        if not settings:
            return
        for box, name in ((self.network, "configuration"), (self.preset, "preset")):
            box.setCurrentText(str(settings.get(name)))
        self.steps.setValue(int(settings.get("steps", self.steps.value())))
        self.seed.setValue(int(settings.get("seed", 0)))
        if self.manifest.path is None and (folder / COHORT).is_file():
            self.manifest.pick(folder / COHORT)

    def fold(self, running: bool) -> None:
        """While a training runs nothing can be chosen: leave the room to its curves."""
        self.setEnabled(not running)
        self.setToolTip("Nothing can be changed while the training runs" if running else "")
        self.about.setVisible(not running)
        self._advanced.setVisible(not running)

    def _make_advanced(self) -> None:
        self.steps = _spin(1, _MOST_STEPS, "Steps in all")
        self.steps.setSingleStep(100)
        self.hours = QDoubleSpinBox()
        self.hours.setRange(0, 1000)
        self.hours.setSpecialValueText("no limit")
        self.hours.setSuffix(" h")
        self.hours.setToolTip("Stop after so many hours; it can go on later")
        self.seed = _spin(0, 2**31 - 1, "Of all chance but the split of the patients")
        self.device = QComboBox()
        self.device.setToolTip("auto: the GPU where there is one")
        self.device.addItems(list(DEVICES))
        self.workers = _spin(
            0, _MOST_WORKERS, "Processes that prepare scans and draw batches beside the training"
        )
        self.encoder = PathRow(
            "Choose the encoder's weights",
            "torchvision's resnet34 (.pth), trained on ImageNet; downloaded when empty",
            "Weights (*.pth)",
            "downloaded",
        )
        inner = QWidget()
        self._more = QFormLayout(inner)
        self._more.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        for name, widget in (
            ("Steps", self.steps),
            ("At most", self.hours),
            ("Seed", self.seed),
            ("Device", self.device),
            ("Workers", self.workers),
            ("Encoder", self.encoder),
        ):
            self._more.addRow(name, widget)
        self._advanced = QCollapsible("Advanced")
        self._advanced.toggleButton().setToolTip("Show or hide what is seldom changed")
        self._advanced.setContent(inner)
        self._advanced.collapse(animate=False)

    def _show_choice(self) -> None:
        network = CONFIGURATIONS[self.network.currentText()]
        preset = TRAINING_PRESETS[self.preset.currentText()]
        self.about.say(f"{network.summary} {preset.summary}")
        self.steps.setValue(preset.steps)
        self._more.setRowVisible(self.encoder, network.pretrained_encoder)


def _spin(low: int, high: int, tooltip: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setToolTip(tooltip)
    return box
