"""The stand-in over HTTP: what every call must carry, and one answer for each idempotency key."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import RLock
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from infra.local.square import billing, cards, catalog, customers, subscriptions
from infra.local.square.errors import SquareError, invalid, key_reused, missing, ordered, unauthorized
from infra.local.square.state import Json, State
from infra.local.square.webhooks import Webhooks
from infra.local.standins.faults import Faults

Handler = Callable[..., Json]

# method, path, the call's name (as in our client: group and verb), what does it
_ROUTES: tuple[tuple[str, str, str, Handler], ...] = (
    ("POST", "/v2/customers", "customers.create", customers.create),
    ("POST", "/v2/customers/search", "customers.search", customers.search),
    ("GET", "/v2/customers/<customer_id>", "customers.get", customers.get),
    ("PUT", "/v2/customers/<customer_id>", "customers.update", customers.update),
    ("POST", "/v2/cards", "cards.create", cards.create),
    ("GET", "/v2/cards/<card_id>", "cards.get", cards.get),
    ("POST", "/v2/cards/<card_id>/disable", "cards.disable", cards.disable),
    ("POST", "/v2/catalog/object", "catalog.upsert", catalog.upsert),
    ("GET", "/v2/catalog/object/<object_id>", "catalog.get", catalog.get),
    ("POST", "/v2/subscriptions", "subscriptions.create", subscriptions.create),
    ("POST", "/v2/subscriptions/search", "subscriptions.search", subscriptions.search),
    ("GET", "/v2/subscriptions/<subscription_id>", "subscriptions.get", subscriptions.get),
    ("PUT", "/v2/subscriptions/<subscription_id>", "subscriptions.update", subscriptions.update),
    ("POST", "/v2/subscriptions/<subscription_id>/cancel", "subscriptions.cancel", subscriptions.cancel),
    ("GET", "/v2/invoices/<invoice_id>", "invoices.get", billing.get_invoice),
    ("POST", "/v2/payments", "payments.create", billing.create_payment),
    ("GET", "/v2/payments/<payment_id>", "payments.get", billing.get_payment),
)
# Square leaves the key optional for customers and subscriptions; without one, repeats would double there too.
_KEYED = frozenset(
    {"customers.create", "cards.create", "catalog.upsert", "subscriptions.create", "payments.create"},
)


class SquareApp:
    """All of the stand-in but the socket. `token` is the only one accepted; any, without it."""

    def __init__(self, *, token: str | None = None, file: Path | None = None, webhooks: Webhooks | None = None) -> None:
        self.state = State.load(file)
        self.faults = Faults(ordered)
        self.calls: Counter[str] = Counter()
        self._token = token
        self._file = file
        self._lock = RLock()
        if webhooks is not None:
            self.state.announce = lambda kind, name, told: webhooks.send(kind, name, told, self.state.stamp())
        self.wsgi = self._flask()

    def pay_invoices(self) -> None:
        """Let every unpaid invoice be paid, as by the link in Square's mail."""
        with self._lock:
            for invoice in self.state.invoices.values():
                if invoice["status"] == "UNPAID":
                    billing.settle(self.state, invoice, "EXTERNAL")

    def _flask(self) -> Flask:
        app = Flask("square", static_folder=None)
        for method, path, operation, handler in _ROUTES:
            app.add_url_rule(path, operation, self._view(operation, handler), methods=[method])
        app.add_url_rule("/_control", "control", self._control, methods=["POST"])
        app.add_url_rule("/_control", "look", self._look, methods=["GET"])
        app.register_error_handler(SquareError, lambda error: _answer(error.body, error.status))
        app.register_error_handler(HTTPException, _unknown)
        return app

    def _view(self, operation: str, handler: Handler) -> Callable[..., Response]:
        def view(**path: str) -> Response:
            self._admit()
            with self._lock:
                self.calls[operation] += 1
            with self.faults.meeting(operation):
                answer = self._done(operation, handler, path)
            return _answer(answer, 200)

        return view

    def _done(self, operation: str, handler: Handler, path: dict[str, str]) -> Json:
        body = _body()
        with self._lock:
            subscriptions.catch_up(self.state)
            answer = self._once(operation, handler, body, path)
            if self._file:
                self.state.save(self._file)
        return answer

    def _admit(self) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token or self._token not in (None, token):
            raise unauthorized()
        if not request.headers.get("Square-Version"):
            raise invalid("Square-Version must be set.", code="INVALID_SQUARE_VERSION_FORMAT")

    def _once(self, operation: str, handler: Handler, body: Json, path: dict[str, str]) -> Json:
        """The handler's answer, or the first one under the same key. Only successes are kept, as Square does."""
        if operation not in _KEYED:
            return handler(self.state, body, **path)
        key = body.get("idempotency_key")
        if not key:
            raise missing("idempotency_key")
        asked = json.dumps(body, sort_keys=True)
        known = self.state.answers.get(f"{operation} {key}")
        if known is None:
            answer = handler(self.state, body, **path)
            # A copy, because the objects live on and this answer does not change any more.
            self.state.answers[f"{operation} {key}"] = {"asked": asked, "answer": json.loads(json.dumps(answer))}
            return answer
        if known["asked"] != asked:
            raise key_reused()
        first: Json = known["answer"]
        return first

    def _control(self) -> Response:
        """Order a fault, move the clock ahead, let invoices be paid, or forget everything."""
        body = _body()
        with self._lock:
            if body.get("reset"):
                self.state.reset()
                self.faults.clear()
                self.calls.clear()
            if "ahead_days" in body:
                self.state.ahead = timedelta(days=int(body["ahead_days"]))
                subscriptions.catch_up(self.state)
            if body.get("pay_invoices"):
                self.pay_invoices()
            self.faults.obey(body)
        return self._look()

    def _look(self) -> Response:
        """How often each call arrived, and what there is."""
        with self._lock:
            return _answer({"calls": dict(self.calls), "cards": self.state.cards, "customers": self.state.customers,
                            "subscriptions": self.state.subscriptions, "invoices": self.state.invoices,
                            "catalog": self.state.catalog, "payments": self.state.payments}, 200)  # fmt: skip


def _body() -> Json:
    if not request.get_data():
        return {}
    told: Any = request.get_json(silent=True)
    if not isinstance(told, dict):
        raise invalid("The body is not a JSON object.", code="INVALID_VALUE")
    return told


def _answer(body: Json, status: int) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")


def _unknown(error: HTTPException) -> Response:
    refusal = SquareError(error.code or 500, "INVALID_REQUEST_ERROR", "NOT_FOUND", "Resource not found.")
    return _answer(refusal.body, refusal.status)
