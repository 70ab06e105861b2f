"""Networks as ONNX, kept in the user's cache folder. Importing this file imports no library.

A file is the model with its own SHA-256 after it, so that a damaged one is noticed and made anew.
What can be made again is never missed: reading and writing fail in silence.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_dir

_KEPT = 8  # files; that of unet-2d takes 98 MB
_DIGEST = hashlib.sha256().digest_size


def folder() -> Path:
    """Where the files are; the variable ``VBMD_CACHE`` names another place."""
    return Path(os.environ.get("VBMD_CACHE") or user_cache_dir("napari-vbmd")) / "networks"


def read(key: str) -> bytes | None:
    """The model of a key; None when there is none, or it is damaged."""
    try:
        content = _path(key).read_bytes()
    except OSError:
        return None
    model, digest = content[:-_DIGEST], content[-_DIGEST:]
    return model if hashlib.sha256(model).digest() == digest else None


def write(key: str, model: bytes) -> None:
    """Keep a model, whole or not at all; of many, the oldest go."""
    path = _path(key)
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(model + hashlib.sha256(model).digest())
        staged.replace(path)
    except BaseException as error:
        with suppress(OSError):
            staged.unlink()
        if not isinstance(error, OSError):  # a run that was cancelled meanwhile
            raise
    with suppress(OSError):
        files = sorted(path.parent.glob("*.onnx-sha256"), key=lambda file: file.stat().st_mtime)
        for old in files[:-_KEPT]:
            old.unlink()


def _path(key: str) -> Path:
    return folder() / f"{key}.onnx-sha256"
