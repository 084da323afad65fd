"""One emulator, whole: broker, pushers, gRPC server and control port."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.pubsub.broker import Broker
from infra.local.pubsub.control import ControlServer
from infra.local.pubsub.faults import Faults
from infra.local.pubsub.push import MAX_OUTSTANDING, Pushers
from infra.local.pubsub.server import create_server

_LOOPBACK = "127.0.0.1"
_GRACE_S = 0.5
# How often the control server looks whether it should stop.
_POLL_S = 0.02


class Emulator:
    """Serves from `start` to `stop`; port 0 picks a free one. Raises RuntimeError or OSError for a taken port."""

    def __init__(self, *, port: int = 0, control_port: int = 0, max_outstanding: int = MAX_OUTSTANDING) -> None:
        faults = Faults()
        self._broker = Broker(faults)
        self._pushers = Pushers(max_outstanding=max_outstanding)
        self._broker.watch(self._pushers.follow)
        self._control = ControlServer(self._broker, faults, host=_LOOPBACK, port=control_port)
        self._server, self.port = create_server(self._broker, host=_LOOPBACK, port=port)

    @property
    def host(self) -> str:
        """What PUBSUB_EMULATOR_HOST must say."""
        return f"{_LOOPBACK}:{self.port}"

    @property
    def control_port(self) -> int:
        return self._control.server_port

    @property
    def control_url(self) -> str:
        """Where /faults and /stats are."""
        return f"http://{_LOOPBACK}:{self.control_port}"

    def start(self) -> None:
        """Serve, in threads of its own."""
        self._server.start()
        threading.Thread(target=self._control.serve_forever, args=(_POLL_S,), daemon=True).start()

    def stop(self) -> None:
        """Finish what is under way for a moment, then forget everything."""
        stopped = self._server.stop(_GRACE_S)
        self._broker.close()
        self._pushers.close()
        stopped.wait()
        self._control.shutdown()
        self._control.server_close()


@contextmanager
def running_emulator(
    *, port: int = 0, control_port: int = 0, max_outstanding: int = MAX_OUTSTANDING
) -> Iterator[Emulator]:
    """An emulator in this process for the length of the block."""
    emulator = Emulator(port=port, control_port=control_port, max_outstanding=max_outstanding)
    emulator.start()
    try:
        yield emulator
    finally:
        emulator.stop()
