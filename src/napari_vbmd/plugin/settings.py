"""What is remembered for the user of this computer, between one start and the next."""

import os
from pathlib import Path

from platformdirs import user_config_dir
from qtpy.QtCore import QSettings


def settings() -> QSettings:
    """The user's settings, in VBMD_SETTINGS or the user's folder for them."""
    folder = Path(os.environ.get("VBMD_SETTINGS") or user_config_dir("napari-vbmd"))
    return QSettings(str(folder / "settings.ini"), QSettings.IniFormat)
