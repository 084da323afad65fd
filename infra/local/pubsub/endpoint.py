"""One kept-alive HTTP connection to a push endpoint."""

import http.client
from urllib.parse import urlsplit


class EndpointConnection:
    """Posts one request at a time and keeps the connection for the next. Not shared between threads."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.netloc)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def post(self, body: bytes, headers: dict[str, str], *, timeout_s: float) -> int | None:
        """The status answered; None when nothing was answered within the time."""
        kept = self._connection.sock is not None
        try:
            return self._exchange(body, headers, timeout_s)
        except ConnectionError:
            self.close()
            # A server may close a kept connection at any moment between two requests; that is no failure.
            return self.post(body, headers, timeout_s=timeout_s) if kept else None
        except (OSError, http.client.HTTPException):
            self.close()
            return None

    def close(self) -> None:
        """Drop the connection; the next post opens another."""
        self._connection.close()

    def _exchange(self, body: bytes, headers: dict[str, str], timeout_s: float) -> int:
        self._connection.timeout = timeout_s
        if self._connection.sock is not None:
            self._connection.sock.settimeout(timeout_s)
        self._connection.request("POST", self._target, body, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status
