"""One local storage, whole: objects, the front before them, and the notices that go out."""

import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

from infra.local.storage.cors import uploads_and_reads_from
from infra.local.storage.credentials import KEY_FILE, ensure_key_file, signer_of
from infra.local.storage.front import Front, House
from infra.local.storage.notices import Notices
from infra.local.storage.objects import Objects

_LOOPBACK = "127.0.0.1"
# How often the server looks whether it should stop.
_POLL_S = 0.02


class LocalStorage:
    """Serves from `start` to `stop`; port 0 picks a free one, no `data` keeps everything in memory.

    `buckets` are made when they are not there, `public_buckets` may be read by anybody, `finalize` maps
    a bucket to the address that is told of its new objects. Raises OSError for a taken port.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        data: Path | None = None,
        key_file: Path = KEY_FILE,
        buckets: Collection[str] = (),
        public_buckets: Collection[str] = (),
        finalize: Mapping[str, str] | None = None,
        origins: Collection[str] = ("*",),
    ) -> None:
        for name in ("gcp_storage_emulator", "api.bucket", "api.object"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.key_file = ensure_key_file(key_file)
        self.notices = Notices(finalize or {})
        objects = Objects(data, self.notices.announce)
        for name in (*buckets, *public_buckets):
            objects.ensure_bucket(name, [uploads_and_reads_from(origins)])
        email, public_key = signer_of(self.key_file)
        house = House(objects, {email: public_key}, frozenset(public_buckets))
        self._server = ThreadingHTTPServer((_LOOPBACK, port), partial(Front, house))
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        """What STORAGE_EMULATOR_HOST must say."""
        return f"http://{_LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Serve, in threads of its own."""
        self.notices.start()
        threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), daemon=True).start()

    def stop(self) -> None:
        """Take no more requests, tell of no more objects; what is stored on disk stays."""
        self._server.shutdown()
        self._server.server_close()
        self.notices.stop()


@contextmanager
def running_storage(
    *,
    port: int = 0,
    data: Path | None = None,
    key_file: Path = KEY_FILE,
    buckets: Collection[str] = (),
    public_buckets: Collection[str] = (),
    finalize: Mapping[str, str] | None = None,
    origins: Collection[str] = ("*",),
) -> Iterator[LocalStorage]:
    """A local storage in this process for the length of the block."""
    storage = LocalStorage(
        port=port,
        data=data,
        key_file=key_file,
        buckets=buckets,
        public_buckets=public_buckets,
        finalize=finalize,
        origins=origins,
    )
    storage.start()
    try:
        yield storage
    finally:
        storage.stop()
