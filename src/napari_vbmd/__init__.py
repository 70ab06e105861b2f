"""Volumetric bone mineral density of the metacarpals from HR-pQCT hand scans.

Importing the package loads nothing heavy: the command line lives in `napari_vbmd.cli`,
the napari widgets in `napari_vbmd.plugin`, and both call the modules between them.
"""

from importlib.metadata import version

__version__ = version("napari-vbmd")

__all__ = ["__version__"]
