"""A section that folds away."""

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_vbmd.plugin.fold import Fold


def test_what_comes_while_it_is_open_finds_room(qtbot):
    page, fold, inner = QWidget(), Fold("Section"), QWidget()
    QVBoxLayout(page).addWidget(fold)
    lines = QLabel("\n" * 20)
    layout = QVBoxLayout(inner)
    layout.addWidget(QLabel("line"))
    layout.addWidget(lines)
    lines.hide()
    fold.setContent(inner)
    fold.collapse()
    qtbot.addWidget(page)
    page.show()
    assert inner.height() == 0
    fold.toggleButton().click()
    lines.show()
    page.resize(300, 800)
    qtbot.waitUntil(lambda: lines.height() >= lines.sizeHint().height())
    fold.toggleButton().click()
    assert not fold.isExpanded()
    assert fold.content().maximumHeight() == 0
