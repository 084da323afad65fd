"""The mailbox over HTTP: pages for people, JSON for tests and the demo, and SendGrid's endpoint."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, render_template, request

from infra.local.mailbox.mails import Folder, Mail
from infra.local.mailbox.sendgrid import Json, SendGridError, messages_of, ordered
from infra.local.standins.faults import Faults
from shared.kit.ids import new_id

# A mail's HTML is shown as a mail program would: nothing in it runs, links open beside.
_CAGED = "sandbox allow-popups allow-popups-to-escape-sandbox"


class MailboxApp:
    """All of the mailbox but the socket. `key` is SendGrid's only API key; any, without it."""

    def __init__(self, folder: Path, *, key: str | None = None) -> None:
        self.folder = Folder(folder)
        self.faults = Faults(ordered)
        self.taken: list[Json] = []
        self.refused_addresses: set[str] = set()
        self._key = key
        self.wsgi = self._flask()

    def reset(self) -> None:
        """Forget everything."""
        self.folder.clear()
        self.faults.clear()
        self.taken.clear()
        self.refused_addresses.clear()

    def _flask(self) -> Flask:
        app = Flask("infra.local.mailbox", static_folder=None)
        routes: tuple[tuple[str, str, Callable[..., Any]], ...] = (
            ("GET", "/", self._list),
            ("GET", "/mails", self._list_json),
            ("GET", "/mails/<name>", self._show),
            ("GET", "/mails/<name>.html", self._html),
            ("GET", "/mails/<name>.txt", self._text),
            ("POST", "/v3/mail/send", self._send),
            ("POST", "/_control", self._control),
        )
        for method, path, view in routes:
            app.add_url_rule(path, view.__name__, view, methods=[method])
        app.register_error_handler(SendGridError, lambda error: _json(error.body, error.status))
        return app

    def _list(self) -> str:
        return render_template("list.html", mails=self.folder.all())

    def _list_json(self) -> Response:
        mails = [asdict(mail) | {"sent_at": mail.sent_at.isoformat()} for mail in self.folder.all()]
        to = request.args.get("to")
        return _json({"mails": [mail for mail in mails if to is None or to in mail["to"]]}, 200)

    def _show(self, name: str) -> str:
        return render_template("mail.html", mail=self._get(name))

    def _html(self, name: str) -> Response:
        shown = Response(self._get(name).html, content_type="text/html; charset=utf-8")
        shown.headers["Content-Security-Policy"] = _CAGED
        return shown

    def _text(self, name: str) -> Response:
        return Response(self._get(name).text, content_type="text/plain; charset=utf-8")

    def _get(self, name: str) -> Mail:
        mail = self.folder.find(name)
        return mail if mail is not None else abort(404)

    def _send(self) -> Response:
        """SendGrid's: 202 with an empty body and a message id, once the mail is taken."""
        self._admit()
        with self.faults.meeting("mail.send"):
            given = self._take()
        return Response(status=202, headers={"X-Message-Id": given})

    def _take(self) -> str:
        """Keep the mails of a request; the id that it is given."""
        body: Any = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise SendGridError(400, "Bad Request")
        messages = messages_of(body, frozenset(self.refused_addresses))
        given = str(new_id())
        for n, message in enumerate(messages):
            if message["Message-ID"] is None:
                message["Message-ID"] = f"<{given}.{n}@sendgrid.local>"
            self.folder.keep(f"{given}.{n}", message)
        self.taken.append(body)
        return given

    def _admit(self) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key or self._key not in (None, key):
            raise SendGridError(401, "The provided authorization grant is invalid, expired, or revoked")

    def _control(self) -> Response:
        """Order a fault, have addresses refused, or forget everything."""
        body: Json = request.get_json()
        if body.get("reset"):
            self.reset()
        self.refused_addresses.update(body.get("refuse", ()))
        self.faults.obey(body)
        return _json({"taken": len(self.taken)}, 200)


def _json(body: Any, status: int) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")
