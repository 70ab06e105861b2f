"""Stopping a training between two steps."""

import os
import signal

import pytest

from napari_vbmd.study.stopper import Stopper, ask_to_stop, forget_stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_is_as_before(tmp_path, number):
    before = signal.getsignal(number)
    with Stopper(tmp_path) as stopper:
        assert not stopper.asked
        signal.raise_signal(number)
        assert stopper.asked
        assert signal.getsignal(number) == before
    assert signal.getsignal(number) == before


def test_a_file_asks_and_is_taken_away(tmp_path):
    with Stopper(tmp_path) as stopper:
        assert not stopper.asked
        ask_to_stop(tmp_path)
        assert stopper.asked
    assert os.listdir(tmp_path) == []
    forget_stop(tmp_path)
