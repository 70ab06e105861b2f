"""A network's threads sleep while they wait, unless the user has said otherwise."""

import os
import subprocess
import sys

import pytest

CODE = (
    "import os, sys, napari_vbmd.segmentation; "
    "print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
)


@pytest.mark.parametrize(("chosen", "counts"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_the_threads_manner_of_waiting_is_set_before_torch_is_loaded(chosen, counts):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    environment |= {"OMP_WAIT_POLICY": chosen} if chosen else {}
    said = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [counts, "False"]
