"""A pseudo-terminal with a program in it, as a person has it: typed keys, window size, hang-up."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.pipelines.curated import environment

CTRL_C = b"\x03"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[()=>].?")
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|38;|48;)[0-9;]*m")


class Terminal:
    """Runs a command with the pseudo-terminal as its controlling one, in a session of its own.

    Standard input is the terminal; so are stdout and stderr, unless ``into`` names a file for
    stdout.
    """

    def __init__(
        self,
        command: Sequence[str],
        columns: int = 80,
        rows: int = 24,
        into: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        variables = {**environment(), "TERM": "xterm-256color", **(more or {})}
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
            if name not in (more or {}):
                variables.pop(name, None)
        stdout = open(into, "wb") if into else None  # noqa: SIM115 (closed below)
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=stdout or slave,
            stderr=slave,
            env=variables,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        if stdout:
            stdout.close()
        self._bytes = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def type(self, keys: bytes) -> None:
        """What a person types; Ctrl-C is ``CTRL_C``."""
        os.write(self._master, keys)

    def hang_up(self) -> None:
        """The window is closed: the kernel sends SIGHUP, and later writes fail."""
        os.close(self._master)

    def wait(self, seconds: float) -> int:
        """The exit code; the test fails with the screen's end when it takes longer."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {seconds} s:\n{self.text[-2000:]}") from None
        self._reader.join(5)
        return code

    def wait_for(self, condition, seconds: float) -> None:
        """Wait until ``condition()`` holds while the program runs."""
        until = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise AssertionError(f"it never came to that:\n{self.text[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End the program, whatever it does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    @property
    def raw(self) -> str:
        """All that was written to the terminal, with its control sequences."""
        return self._bytes.decode(errors="replace")

    @property
    def text(self) -> str:
        """The same without control sequences."""
        return _CONTROL.sub("", self.raw).replace("\r\n", "\n")

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            self._bytes += data


def _take_terminal() -> None:
    """As a shell starts a program: signals that the tests' own starter ignored count again."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def tfw_in_terminal(*arguments: object, **options: object) -> Terminal:
    """The real command line in a pseudo-terminal."""
    words = [sys.executable, "-m", "talkingface_wild.cli.main", *map(str, arguments)]
    return Terminal(words, **options)
