"""Whether this process was asked to end (SIGTERM), for work that lasts and can stop between two steps."""

import signal
import threading
import time
from types import FrameType

# No threading.Event: its lock may be held by the very code that the signal interrupts.
_asked = False


def listen() -> None:
    """Hear SIGTERM from now on and hand it on to whoever heard it before.

    Only a main thread can listen: in any other this changes nothing, so a server that answers in threads of
    its own calls it once when it starts.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    if getattr(before, "is_ours", False):
        return

    def heard(number: int, frame: FrameType | None) -> None:
        global _asked
        _asked = True
        if callable(before):
            before(number, frame)
        elif before is signal.SIG_DFL:
            raise SystemExit(128 + number)

    heard.is_ours = True  # type: ignore[attr-defined]  # so that listening twice does not ask twice
    signal.signal(signal.SIGTERM, heard)


def is_asked() -> bool:
    """Whether to stop at the next good moment."""
    return _asked


def wait(seconds: float) -> None:
    """Sleep, but not on once asked to stop."""
    ends_at = time.monotonic() + seconds
    while not _asked and (left_s := ends_at - time.monotonic()) > 0:
        time.sleep(min(left_s, 0.05))


def forget() -> None:
    """Go on as if nobody had asked. For tests."""
    global _asked
    _asked = False
