"""The house: a module imports only from floors below its own, and only the plugin knows napari."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import napari_vbmd

PACKAGE = Path(napari_vbmd.__file__).parent
FLOORS = {
    "napari_vbmd": 0,  # the package itself: its version
    "errors": 0,
    "mapped": 0,
    "grid": 1,
    "calibration": 1,
    "morphology": 1,
    "privacy": 1,
    "scan": 2,
    "io": 3,
    "segmentation": 3,
    "measurement": 3,
    "phantom": 3,
    "editing": 3,
    "report": 4,
    "provenance": 4,
    "pipeline": 5,
    "study": 6,
    "cli": 7,
    "plugin": 7,
    "__main__": 8,
}
FACES = {"napari", "qtpy", "superqt", "magicgui", "PyQt5", "PyQt6", "PySide2", "PySide6"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path):
    """Every import of a module: absolute name, and whether it stands at the top."""
    package = ("napari_vbmd", *path.relative_to(PACKAGE).parts[:-1])
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join((*base, *(node.module or "").split("."))).strip(".")
            # `from . import x` may name modules: those that are files count as such
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((name, id(node) in at_top) for name in names)


def room_imported(name: str) -> str | None:
    """The room that an absolute name lies in; None outside the package."""
    first, *rest = name.split(".")
    if first != "napari_vbmd":
        return None
    if rest and ((PACKAGE / rest[0]).is_dir() or (PACKAGE / f"{rest[0]}.py").is_file()):
        return rest[0]
    return "napari_vbmd"


def own_room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "napari_vbmd" if parts == ("__init__",) else parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_floors_below_its_own(path):
    here = own_room(path)
    assert here in FLOORS, f"give the room {here} a floor"
    for name, at_top in imports(path):
        there = room_imported(name)
        if there in (None, here):
            continue
        if here == "cli" and there == "plugin":
            assert not at_top, "the command line imports the plugin only when a viewer is asked for"
            continue
        assert FLOORS[there] < FLOORS[here], f"{here} must not import {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_plugin_knows_napari_and_qt(path):
    if own_room(path) != "plugin":
        assert not FACES & {name.split(".")[0] for name, _ in imports(path)}


def test_the_reader_of_imports_sees_every_form(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    module = tmp_path / "io" / "x.py"
    module.parent.mkdir()
    (tmp_path / "scan.py").touch()
    module.write_text(
        "import napari.layers\nfrom .. import scan\nfrom ..scan import Scan\nfrom . import aim\n"
        "def f():\n    from napari_vbmd.scan import Scan\n"
    )
    assert list(imports(module)) == [
        ("napari.layers", True),
        ("napari_vbmd.scan", True),
        ("napari_vbmd.scan.Scan", True),
        ("napari_vbmd.io.aim", True),
        ("napari_vbmd.scan.Scan", False),
    ]
    assert [room_imported(name) for name, _ in imports(module)] == [
        None, "scan", "scan", "io", "scan",
    ]  # fmt: skip


def test_the_command_line_starts_without_heavy_libraries():
    code = (
        "import sys, napari_vbmd.cli as cli; cli.main(['--help']);"
        "heavy = {'torch', 'monai', 'matplotlib', 'napari', 'scipy', 'skimage', 'SimpleITK'};"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_a_whole_run_needs_neither_torch_nor_napari():
    code = (
        "import sys, napari_vbmd.cli.commands, napari_vbmd.pipeline;"
        "heavy = {'torch', 'monai', 'napari', 'qtpy', 'matplotlib.pyplot'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
