"""Signals that ask to end: the first is a request, the second breaks off, others' wishes hold."""

import signal
import subprocess
import sys
import threading

import pytest

from talkingface_wild.core.stopping import (
    SIGNALS,
    break_off_on_signals,
    stop_on_signals,
    stop_requested,
)


@pytest.fixture(autouse=True)
def own_terminal(monkeypatch):
    """A hang-up would take the tests' own output away where that is a terminal; and a shell that
    runs the tests by ``&`` lets them ignore Ctrl-C."""
    monkeypatch.setattr("talkingface_wild.core.stopping.mute_closed_terminal", lambda: None)
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_a_request_and_handlers_are_put_back(number, capfd):
    before = [signal.getsignal(each) for each in SIGNALS]
    with stop_on_signals("Stopping."), stop_on_signals("Never said."):
        assert not stop_requested()
        signal.raise_signal(number)
        assert stop_requested()
    assert not stop_requested()
    assert [signal.getsignal(each) for each in SIGNALS] == before
    assert capfd.readouterr().err == "Stopping.\n"


def test_the_second_breaks_off_but_a_closed_terminal_sends_two():
    with stop_on_signals():
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_a_launchers_copy_of_the_first_is_no_second(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with stop_on_signals():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert stop_requested()


@pytest.mark.parametrize("number", SIGNALS)
def test_breaking_off_is_at_once(number):
    with break_off_on_signals(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_a_thread_installs_nothing():
    """Python refuses handlers there with an error."""
    seen = []

    def work():
        with stop_on_signals(), break_off_on_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


def test_what_the_shell_ignores_stays_ignored():
    """``nohup`` and a shell's ``&`` start a program with signals that it must not take back."""
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from talkingface_wild.core.stopping import stop_on_signals, stop_requested\n"
        "with stop_on_signals(): signal.raise_signal(signal.SIGHUP); print(stop_requested())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n"
