"""The mailbox as a running server in a thread of this process, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.mailbox.mails import Mail
from infra.local.mailbox.server import MailboxApp
from infra.local.standins.running import serving


@dataclass(frozen=True)
class StandIn:
    """A running mailbox: its address, and a way into what it knows."""

    url: str
    app: MailboxApp

    @property
    def mails(self) -> list[Mail]:
        """What has arrived, the oldest first."""
        return self.app.folder.all()[::-1]

    @property
    def taken(self) -> list[dict[str, Any]]:
        """The requests that were taken, in order."""
        return list(self.app.taken)

    def fail(self, *, status: int = 503, times: int = 1, after: bool = False) -> None:
        """Let the next mails fail; `after` they were taken, when only the answer shall be lost."""
        self.app.faults.obey({"fail": {"status": status}, "times": times, "after": after})

    def slow_down(self, *, delay_ms: int, times: int = 1, after: bool = False) -> None:
        """Let the next mails take their time, before or after they are taken."""
        self.app.faults.obey({"delay_ms": delay_ms, "times": times, "after": after})

    def refuse(self, address: str) -> None:
        """Find this address wrong from now on."""
        self.app.refused_addresses.add(address)

    def reset(self) -> None:
        """Forget everything."""
        self.app.reset()


@contextmanager
def running_mailbox(folder: Path, *, key: str | None = None) -> Iterator[StandIn]:
    """A mailbox that serves for the length of the block."""
    app = MailboxApp(folder, key=key)
    with serving(app.wsgi) as url:
        yield StandIn(url, app)
