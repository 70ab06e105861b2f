"""The few errors that a user can meet.

Each one is also the matching built-in, so that a script may catch either. A message is one
line: which file or value, what is wrong with it, and what to do.
"""


class VbmdError(Exception):
    """Base of every error that a user can mend."""


class FileFormatError(VbmdError, ValueError):
    """A file is not what its name says, is damaged, or is of a kind that cannot be read."""


class MissingCalibrationError(VbmdError, ValueError):
    """A constant that the question needs is not known. There is never a default."""


class GridMismatchError(VbmdError, ValueError):
    """A mask cannot be placed on a scan."""


class EmptyMaskError(VbmdError, ValueError):
    """A mask holds no voxel where one is needed."""


class NoBoneError(VbmdError, ValueError):
    """No bone was found where it was looked for."""


class ParameterError(VbmdError, ValueError):
    """A value given by the user lies outside what makes sense."""


class WriteError(VbmdError, OSError):
    """A result could not be written, or would have replaced something that must not be lost."""
