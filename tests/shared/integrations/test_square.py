"""The adapter against the stand-in: what each refusal becomes, what is tried again, and how often."""

import json
from uuid import uuid4

import pytest

from infra.local.processes import wait_until
from shared.integrations.square import (
    CardDeclined,
    SquareDown,
    SquareRefused,
    SquareSettings,
    key_of,
    payment_provider,
)
from tests.patience import PATIENCE_S

NEVER_MS = 600_000
"""Of a test: what comes before the next one begins is forgotten with it."""


@pytest.fixture
def provider(square):
    return payment_provider()


@pytest.fixture
def told(monkeypatch):
    """Call it with a setting to change it for the test."""

    def change(**settings):
        for name, value in settings.items():
            monkeypatch.setenv(f"PF_SQUARE_{name.upper()}", str(value))
        SquareSettings.forget()
        return payment_provider()

    yield change
    SquareSettings.forget()


def a_customer(provider):
    return provider.ensure_customer(store_id=uuid4(), company_name="Red River Farms LLC", email=None)


def a_card(provider, *, key="k1", source_id="cnon:card-nonce-ok"):
    return provider.create_card(
        key=key, customer_id=a_customer(provider), source_id=source_id, verification_token=None, cardholder_name=None
    )


def test_a_key_says_the_same_for_the_same_parts_and_fits_squares_shortest_limit():
    first, again, other = key_of("card", 1, "a"), key_of("card", 1, "a"), key_of("card", "1a")

    assert first == again != other
    assert (first[:5], len(first)) == ("card:", 45)


@pytest.mark.parametrize(
    ("error", "becomes", "details", "tries"),
    [
        (
            {"status": 402, "category": "PAYMENT_METHOD_ERROR", "code": "CARD_DECLINED"},
            CardDeclined,
            {"reason": "card_declined", "category": "PAYMENT_METHOD_ERROR", "code": "CARD_DECLINED"},
            1,
        ),
        (
            {"status": 400, "category": "INVALID_REQUEST_ERROR", "code": "INVALID_VALUE"},
            SquareRefused,
            {"category": "INVALID_REQUEST_ERROR", "code": "INVALID_VALUE"},
            1,
        ),
        ({"status": 401, "category": "AUTHENTICATION_ERROR", "code": "ACCESS_TOKEN_EXPIRED"}, SquareDown, None, 1),
        ({"status": 403, "category": "AUTHENTICATION_ERROR", "code": "INSUFFICIENT_SCOPES"}, SquareDown, None, 1),
        ({"status": 429, "category": "RATE_LIMIT_ERROR", "code": "RATE_LIMITED"}, SquareDown, None, 3),
        ({"status": 500, "category": "API_ERROR", "code": "INTERNAL_SERVER_ERROR"}, SquareDown, None, 3),
        ({"status": 503, "category": "API_ERROR", "code": "SERVICE_UNAVAILABLE"}, SquareDown, None, 3),
    ],
)
def test_what_a_refusal_becomes_and_how_often_it_is_tried(square, provider, error, becomes, details, tries):
    square.fail("customers.search", times=9, **error)

    with pytest.raises(becomes) as caught:
        a_customer(provider)

    assert type(caught.value) is becomes
    assert caught.value.details == details
    assert square.app.calls["customers.search"] == tries


def test_a_limit_that_passes_is_overcome(square, provider):
    square.fail("customers.search", status=429, category="RATE_LIMIT_ERROR", code="RATE_LIMITED", times=2)

    assert a_customer(provider) in square.app.state.customers


def test_an_answer_that_takes_too_long_is_asked_for_again_and_then_given_up(square, told):
    provider = told(timeout_s=0.1)
    square.slow_down("customers.search", delay_ms=NEVER_MS, times=3)

    with pytest.raises(SquareDown):
        a_customer(provider)

    assert wait_until(lambda: square.app.calls["customers.search"] == 3, timeout_s=PATIENCE_S)


def test_no_answer_at_all_is_square_being_down(told, nobody_listening):
    provider = told(base_url=nobody_listening)

    with pytest.raises(SquareDown) as caught:
        a_customer(provider)

    assert caught.value.retry_after_s == 2


def test_a_wrong_token_of_ours_raises_an_alert(told, square, capsys):
    provider = told(access_token="another")

    with pytest.raises(SquareDown):
        a_customer(provider)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["code"] for line in lines if line["severity"] == "ERROR"] == ["UNAUTHORIZED"]
    assert "square_auth_failed" in [line.get("metric") for line in lines]


def test_the_same_key_gets_the_first_answer_and_another_request_under_it_is_refused(square, provider):
    customer_id = a_customer(provider)
    asked = {"key": "k1", "customer_id": customer_id, "source_id": "cnon:card-nonce-ok", "verification_token": None}

    first, again = (provider.create_card(**asked, cardholder_name=None) for _ in range(2))
    with pytest.raises(SquareRefused) as caught:
        provider.create_card(**asked, cardholder_name="Somebody else")

    assert first == again
    assert caught.value.details["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert len(square.app.state.cards) == 1


def test_a_plan_a_subscription_its_invoice_and_its_end(square, provider):
    card = a_card(provider)
    (customer_id,) = square.app.state.customers
    plan = provider.create_plan(key="p", name="Pro", cadence="ANNUAL", price_cents=99_000, currency="USD")

    bought = provider.create_subscription(
        key="s", customer_id=customer_id, card_id=card.id, plan_variation_id=plan.variation_id, start_on=None
    )
    invoice = provider.get_invoice(bought.invoice_ids[0])
    ended = provider.cancel_subscription(bought.id)

    assert (bought.status, bought.card_id, bought.canceled_on) == ("ACTIVE", card.id, None)
    assert (invoice.status, invoice.amount_cents, invoice.subscription_id) == ("PAID", 99_000, bought.id)
    assert (ended.status, ended.canceled_on) == ("ACTIVE", bought.charged_through_on)
    assert ended.version > bought.version
    assert provider.find_subscription(customer_id) == provider.get_subscription(bought.id) == ended


def test_an_ended_subscription_is_not_found(square, provider):
    card = a_card(provider)
    (customer_id,) = square.app.state.customers
    plan = provider.create_plan(key="p", name="Pro", cadence="THIRTY_DAYS", price_cents=100, currency="USD")
    bought = provider.create_subscription(
        key="s", customer_id=customer_id, card_id=card.id, plan_variation_id=plan.variation_id, start_on=None
    )
    square.app.state.subscriptions[bought.id]["status"] = "CANCELED"

    assert provider.find_subscription(customer_id) is None


def test_an_answer_without_what_it_must_have_is_square_being_down(square, provider):
    incomplete = {
        "id": "s1",
        "customer_id": "c1",
        "plan_variation_id": "v1",
        "status": None,
        "start_date": "2100-01-01",
    }
    square.app.state.subscriptions["s1"] = incomplete

    with pytest.raises(SquareDown):
        provider.get_subscription("s1")
