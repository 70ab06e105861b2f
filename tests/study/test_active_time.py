"""Active time: what counts as work, and what does not."""

import pytest

from napari_vbmd.study.active_time import IDLE_S, ActiveTime


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def time(clock):
    return ActiveTime(clock)


def touch_after(time, clock, *seconds):
    for pause in seconds:
        clock.now += pause
        time.touch()


def test_pauses_between_signs_of_life_add_up(time, clock):
    time.start()
    touch_after(time, clock, 20, 30, 10)
    assert time.minutes == pytest.approx(1)


def test_nothing_of_a_long_pause_counts(time, clock):
    time.start()
    touch_after(time, clock, 30, IDLE_S + 1, 30)
    assert time.minutes == pytest.approx(1)


def test_a_look_without_the_mouse_counts(time, clock):
    time.start()
    touch_after(time, clock, IDLE_S)
    assert time.minutes == pytest.approx(IDLE_S / 60)


def test_time_after_the_last_sign_does_not_count(time, clock):
    time.start()
    touch_after(time, clock, 60)
    clock.now += 50
    assert time.minutes == pytest.approx(1)


def test_nothing_counts_before_the_start_and_after_the_stop(time, clock):
    touch_after(time, clock, 10, 10)
    assert time.minutes == 0
    time.start()
    touch_after(time, clock, 60)
    time.stop()
    touch_after(time, clock, 10, 10)
    assert time.minutes == pytest.approx(1)


def test_minutes_are_taken_once_and_may_be_given_back(time, clock):
    time.start()
    touch_after(time, clock, 60)
    taken = time.take()
    assert (taken, time.minutes) == (pytest.approx(1), 0)
    touch_after(time, clock, 30)
    time.give_back(taken)
    assert time.minutes == pytest.approx(1.5)


def test_a_new_start_begins_at_zero(time, clock):
    time.start()
    touch_after(time, clock, 60)
    time.start()
    assert time.minutes == 0
