"""Being stopped: SIGINT, SIGTERM and SIGHUP end a run cleanly, with the shell's conventional exit status.

Python runs signal handlers between its own instructions only. A signal that comes while compiled
code runs has to wait; if that takes too long, a second thread ends the process.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pathfinder_cli._console.streams import write_stderr
from pathfinder_cli._outputs.atomic_files import remove_unfinished


GRACE_SECONDS = 2.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """The process was told to stop; no `Exception`, so that nothing on the way catches it."""

    def __init__(self, signal_number: int):
        self.name = signal.Signals(signal_number).name
        self.exit_code = 128 + signal_number
        super().__init__(f"Error: stopped by {self.name}; nothing was written.")


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` when a signal comes, and end the process if it is not over soon after.

    Signals that the process was started to ignore stay ignored, as under `nohup`. Other threads
    than the main one get no signals, so there this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, _stop) for number in numbers}
    # The interpreter writes to this pipe at once, also while compiled code runs and `_stop` has to wait. That happens
    # within the handler of the signal, so the pipe must not block.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    waker = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    finished = threading.Event()
    threading.Thread(target=_watch, args=(reading, finished), daemon=True).start()
    try:
        yield
    finally:
        finished.set()
        signal.set_wakeup_fd(waker)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(writing)  # wakes the thread, which then ends


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise Stopped(signal_number)


def _watch(reading: int, finished: threading.Event) -> None:
    """Wait for a signal, then for the main thread to act on it."""
    try:
        received = os.read(reading, 1)
    finally:
        os.close(reading)
    if not received or finished.wait(GRACE_SECONDS):
        return
    stopped = Stopped(received[0])
    remove_unfinished()
    write_stderr(f"{stopped}\n")
    # `sys.exit` would end this thread alone, and the main thread does not come back to hear of it.
    os._exit(stopped.exit_code)
