"""What the plugin tells napari about itself."""

import subprocess
import sys
from importlib import import_module

import pytest
from npe2 import PluginManager, PluginManifest

import napari_vbmd
from napari_vbmd.io.files import MASK_SUFFIXES, READABLE
from napari_vbmd.plugin.parts import Page

WIDGETS = (
    "Scan",
    "Segment",
    "Post-process",
    "Correct",
    "Measure",
    "Review",
    "Rate",
    "Agreement",
    "Train",
    "Batch",
    "Worklist",
)


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_distribution("napari-vbmd")


def resolve(python_name):
    module, name = python_name.split(":")
    return getattr(import_module(module), name)


def test_installed_plugin_is_found(manifest):
    assert manifest.name == "napari-vbmd"
    assert manifest.display_name
    assert manifest.package_version == napari_vbmd.__version__


def test_every_command_names_something_that_can_be_called(manifest):
    for command in manifest.contributions.commands:
        assert callable(resolve(command.python_name)), command.id


def test_every_contribution_uses_a_command_that_is_there(manifest):
    given = manifest.contributions
    known = {command.id for command in given.commands}
    used = [*given.readers, *given.writers, *given.sample_data, *given.widgets]
    assert {contribution.command for contribution in used} <= known
    assert len(used) == len({contribution.command for contribution in used})


def test_docks_are_offered_in_the_order_of_the_work(manifest):
    assert tuple(widget.display_name for widget in manifest.contributions.widgets) == WIDGETS
    commands = {command.id: command.python_name for command in manifest.contributions.commands}
    for widget in manifest.contributions.widgets:
        assert issubclass(resolve(commands[widget.command]), Page)


def test_every_readable_ending_is_in_the_readers_patterns(manifest):
    [reader] = manifest.contributions.readers
    assert {f"*{suffix}" for suffix in READABLE} <= set(reader.filename_patterns)
    assert reader.accepts_directories


@pytest.mark.parametrize(
    "name",
    ["a.isq", "A.ISQ", "A.ISQ;1", "a.aim;12", "A.AIM", "a.nii.gz", "A.RSQ;1", "s.rad", "1.DCM;1"],
)
def test_reader_is_asked_for_scanner_files_as_the_scanner_names_them(name):
    PluginManager.instance().discover()
    found = PluginManager.instance().iter_compatible_readers([name])
    assert "napari-vbmd" in {reader.plugin_name for reader in found}


def test_every_mask_format_can_be_saved(manifest):
    [writer] = manifest.contributions.writers
    assert set(writer.filename_extensions) == set(MASK_SUFFIXES)
    assert writer.layer_types == ["labels"]


def test_samples_say_that_they_are_no_person(manifest):
    samples = manifest.contributions.sample_data
    assert [sample.key for sample in samples] == ["phantom_hand", "phantom_bone"]
    assert all("not a person" in sample.display_name for sample in samples)


def test_finding_the_plugin_loads_neither_torch_nor_qt():
    code = (
        "import sys; from npe2 import PluginManifest; "
        "PluginManifest.from_distribution('napari-vbmd'); "
        "print([m for m in ('torch', 'monai', 'qtpy', 'napari') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_opening_the_docks_loads_neither_torch_nor_monai():
    code = (
        "import sys; "
        "from napari_vbmd.plugin import scan_dock, segment_dock, postprocess_dock, measure_dock; "
        "from napari_vbmd.plugin import batch_dock, train_dock, worklist_dock; "
        "print([m for m in ('torch', 'monai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
