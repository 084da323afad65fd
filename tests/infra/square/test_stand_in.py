"""Square's stand-in: what it insists on, how it fails on demand, what it announces, and how it starts and stops."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from square.utils.webhooks_helper import verify_signature

from infra.local.paths import CHECKOUT
from infra.local.processes import wait_until
from infra.local.square import running_square
from tests.patience import PATIENCE_S

HEADERS = {"Authorization": "Bearer t", "Square-Version": "2026-09-16", "Content-Type": "application/json"}
CUSTOMER = {"idempotency_key": "k1", "company_name": "Red River Farms LLC"}


@pytest.fixture
def square():
    with running_square(token="t") as stand_in:
        yield stand_in


def ask(square, method, path, body=None, headers=HEADERS):
    url = path if path.startswith("http") else (square if isinstance(square, str) else square.url) + path
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310 - address
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)["errors"][0]


def subscribed(square, *, source_id="cnon:card-nonce-ok"):
    """A subscription to a plan of 30 days, over the stand-in's own routes."""
    _, customer = ask(square, "POST", "/v2/customers", CUSTOMER)
    card = {"idempotency_key": "c", "source_id": source_id, "card": {"customer_id": customer["customer"]["id"]}}
    _, kept = ask(square, "POST", "/v2/cards", card)
    plan = {"type": "SUBSCRIPTION_PLAN", "id": "#p", "subscription_plan_data": {"name": "Pro"}}
    _, made = ask(square, "POST", "/v2/catalog/object", {"idempotency_key": "p", "object": plan})
    price = {"type": "STATIC", "price_money": {"amount": 9_900, "currency": "USD"}}
    data = {
        "name": "Pro",
        "subscription_plan_id": made["catalog_object"]["id"],
        "phases": [{"cadence": "THIRTY_DAYS", "pricing": price}],
    }
    variation = {"type": "SUBSCRIPTION_PLAN_VARIATION", "id": "#v", "subscription_plan_variation_data": data}
    _, priced = ask(square, "POST", "/v2/catalog/object", {"idempotency_key": "v", "object": variation})
    wanted = {
        "idempotency_key": "s",
        "location_id": "L1",
        "customer_id": customer["customer"]["id"],
        "plan_variation_id": priced["catalog_object"]["id"],
        "card_id": kept["card"]["id"],
    }
    return ask(square, "POST", "/v2/subscriptions", wanted)[1]["subscription"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": ""}, 401, "UNAUTHORIZED"),
        ({"Authorization": "Bearer other"}, 401, "UNAUTHORIZED"),
        ({"Square-Version": ""}, 400, "INVALID_SQUARE_VERSION_FORMAT"),
    ],
)
def test_every_call_carries_a_token_and_a_version(square, headers, status, code):
    refused, error = ask(square, "POST", "/v2/customers", CUSTOMER, {**HEADERS, **headers})

    assert (refused, error["code"]) == (status, code)
    assert square.app.state.customers == {}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v2/customers", {"company_name": "Farm"}, "idempotency_key"),
        ("/v2/cards", {"idempotency_key": "k", "card": {}}, "source_id"),
        ("/v2/cards", {"idempotency_key": "k", "source_id": "cnon:card-nonce-ok"}, "card.customer_id"),
        ("/v2/catalog/object", {"idempotency_key": "k"}, "object"),
        ("/v2/subscriptions", {"idempotency_key": "k", "location_id": "L"}, "customer_id"),
        ("/v2/payments", {"idempotency_key": "k", "source_id": "cnon:card-nonce-ok"}, "amount_money.amount"),
    ],
)
def test_what_is_missing_is_named(square, path, body, field):
    status, error = ask(square, "POST", path, body)

    assert (status, error["code"], error["field"]) == (400, "MISSING_REQUIRED_PARAMETER", field)


def test_a_body_that_is_no_object_and_a_path_that_is_not_there_are_refused(square):
    assert ask(square, "POST", "/v2/customers", b"[1]")[1]["code"] == "INVALID_VALUE"
    assert ask(square, "POST", "/v2/customers", b"{")[1]["code"] == "INVALID_VALUE"
    assert ask(square, "GET", "/v2/unicorns")[0] == 404


def test_a_key_answers_the_same_again_and_refuses_another_body(square):
    first = ask(square, "POST", "/v2/customers", CUSTOMER)
    again = ask(square, "POST", "/v2/customers", CUSTOMER)
    status, error = ask(square, "POST", "/v2/customers", {**CUSTOMER, "company_name": "Other"})

    assert first == again
    assert (status, error["code"], error["field"]) == (400, "IDEMPOTENCY_KEY_REUSED", "idempotency_key")
    assert len(square.app.state.customers) == 1


def test_a_refusal_does_not_use_up_the_key(square):
    _, customer = ask(square, "POST", "/v2/customers", CUSTOMER)
    card = {"idempotency_key": "k", "card": {"customer_id": customer["customer"]["id"]}}

    declined = ask(square, "POST", "/v2/cards", {**card, "source_id": "cnon:card-nonce-declined"})
    kept = ask(square, "POST", "/v2/cards", {**card, "source_id": "cnon:card-nonce-ok"})

    assert (declined[0], declined[1]["category"], kept[0]) == (402, "PAYMENT_METHOD_ERROR", 200)


def test_it_fails_as_often_as_told_before_or_after_the_effect(square):
    fail = {"status": 503, "category": "API_ERROR", "code": "SERVICE_UNAVAILABLE"}
    ask(square, "POST", "/_control", {"operation": "customers.create", "fail": fail, "times": 2})

    before = [ask(square, "POST", "/v2/customers", CUSTOMER)[0] for _ in range(2)]
    none = len(square.app.state.customers)
    ask(square, "POST", "/_control", {"fail": fail, "after": True})
    after = ask(square, "POST", "/v2/customers", CUSTOMER)[0]
    then = ask(square, "POST", "/v2/customers", CUSTOMER)[0]

    assert (before, none, after, then) == ([503, 503], 0, 503, 200)
    assert len(square.app.state.customers) == 1
    assert ask(square, "GET", "/_control")[1]["calls"] == {"customers.create": 4}


def test_it_is_slow_when_told(square):
    ask(square, "POST", "/_control", {"delay_ms": 200})

    began = time.monotonic()
    ask(square, "POST", "/v2/customers", CUSTOMER)
    slow = time.monotonic() - began

    assert slow >= 0.2


def test_a_call_that_pauses_when_all_is_forgotten_has_no_effect(square):
    ask(square, "POST", "/_control", {"delay_ms": 600_000})

    with ThreadPoolExecutor(1) as threads:
        pausing = threads.submit(ask, square, "POST", "/v2/customers", CUSTOMER)
        assert wait_until(lambda: square.app.faults.are_over, timeout_s=PATIENCE_S)
        ask(square, "POST", "/_control", {"reset": True})
        status, _ = pausing.result()

    assert (status, square.app.state.customers) == (503, {})


def test_a_subscription_is_billed_period_by_period_as_time_passes(square, freeze):
    freeze(datetime(2026, 1, 1, 18, tzinfo=UTC))
    bought = subscribed(square)

    ask(square, "POST", "/_control", {"ahead_days": 60})

    _, told = ask(square, "GET", f"/v2/subscriptions/{bought['id']}")
    assert (bought["status"], bought["charged_through_date"]) == ("ACTIVE", "2026-01-30")
    assert (told["subscription"]["charged_through_date"], len(told["subscription"]["invoice_ids"])) == ("2026-03-31", 3)
    assert [invoice["status"] for invoice in square.app.state.invoices.values()] == ["PAID"] * 3


def test_a_canceled_subscription_ends_with_its_period_and_is_billed_no_more(square, freeze):
    freeze(datetime(2026, 1, 1, 18, tzinfo=UTC))
    bought = subscribed(square)

    _, canceled = ask(square, "POST", f"/v2/subscriptions/{bought['id']}/cancel")
    twice, error = ask(square, "POST", f"/v2/subscriptions/{bought['id']}/cancel")
    states = []
    for days in (29, 30):
        ask(square, "POST", "/_control", {"ahead_days": days})
        states.append(ask(square, "GET", f"/v2/subscriptions/{bought['id']}")[1]["subscription"]["status"])

    assert canceled["subscription"]["canceled_date"] == "2026-01-30"
    assert (twice, error["code"]) == (400, "BAD_REQUEST")
    assert states == ["ACTIVE", "CANCELED"]
    assert len(square.app.state.invoices) == 1


def test_a_declined_charge_leaves_the_invoice_unpaid_until_it_is_paid_by_mail(square):
    subscribed(square, source_id="cnon:card-nonce-charge-declined")
    unpaid = [invoice["status"] for invoice in square.app.state.invoices.values()]

    ask(square, "POST", "/_control", {"pay_invoices": True})

    assert unpaid == ["UNPAID"]
    assert [invoice["status"] for invoice in square.app.state.invoices.values()] == ["PAID"]


def test_a_payment_from_a_card_on_file(square):
    bought = subscribed(square)
    payment = {
        "idempotency_key": "pay",
        "source_id": bought["card_id"],
        "customer_id": bought["customer_id"],
        "amount_money": {"amount": 120, "currency": "USD"},
    }

    status, made = ask(square, "POST", "/v2/payments", payment)
    foreign, error = ask(square, "POST", "/v2/payments", {**payment, "idempotency_key": "x", "customer_id": "other"})

    assert (status, made["payment"]["status"], made["payment"]["amount_money"]["amount"]) == (200, "COMPLETED", 120)
    assert (foreign, error["field"]) == (400, "customer_id")
    assert ask(square, "GET", f"/v2/payments/{made['payment']['id']}")[1] == made


class _Receiver(BaseHTTPRequestHandler):
    """Refuses the first delivery, then takes everything."""

    received: list

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.received.append((self.headers["x-square-hmacsha256-signature"], body))
        self.send_response(500 if len(self.received) == 1 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Not a word."""


@pytest.fixture
def receiver():
    _Receiver.received = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/webhooks/square"
    server.shutdown()
    thread.join()
    server.server_close()


def test_events_are_announced_with_squares_signature_until_they_are_taken(receiver):
    with running_square(webhook_url=receiver, signature_key="a-key") as square:
        ask(square, "POST", "/v2/customers", CUSTOMER)
        assert wait_until(lambda: len(_Receiver.received) == 2, timeout_s=PATIENCE_S)

    (_, refused), (signature, taken) = _Receiver.received
    event = json.loads(taken)
    assert refused == taken
    assert event["type"] == "customer.created"
    assert event["data"]["object"]["customer"]["company_name"] == "Red River Farms LLC"
    about = {"request_body": taken, "signature_header": signature, "notification_url": receiver}
    assert verify_signature(signature_key="a-key", **about)
    assert not verify_signature(signature_key="another", **about)


def test_as_a_process_it_keeps_its_state_across_a_clean_restart(tmp_path):
    ready, state = tmp_path / "ready", tmp_path / "state.json"
    command = [sys.executable, "-m", "infra.local.square", "--port", "0", "--ready-file", ready, "--state", state]
    known, codes = [], []
    for _ in range(2):
        ready.unlink(missing_ok=True)
        with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL) as process:
            assert wait_until(lambda: ready.exists() and ready.read_text() != "", timeout_s=PATIENCE_S)
            ask(ready.read_text(), "POST", "/v2/customers", CUSTOMER)
            known.append(ask(ready.read_text(), "GET", "/_control")[1]["customers"])
            process.send_signal(signal.SIGTERM)
            codes.append(process.wait(timeout=PATIENCE_S))

    assert known[0] == known[1]
    assert len(known[0]) == 1
    assert codes == [0, 0]


def test_its_clock_can_be_set_ahead(square, freeze):
    freeze(datetime(2026, 1, 1, 18, tzinfo=UTC))

    ask(square, "POST", "/_control", {"ahead_days": 10})

    assert square.app.state.now() == datetime(2026, 1, 1, 18, tzinfo=UTC) + timedelta(days=10)
