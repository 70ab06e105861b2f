"""The napari face: one file a widget, over the functions that the command line uses."""
