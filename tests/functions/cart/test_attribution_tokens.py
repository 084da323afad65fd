"""Ad tokens in a quote: which are kept, and that none of them ever stands in its way."""

import json
from datetime import timedelta

import pytest

from shared.ads.claims import AdEvent
from shared.kit import clock, logging
from tests.builders.ads import an_ad_token
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor


@pytest.fixture
def said():
    """The log lines of the test, as they come."""
    lines = []
    stop = logging.listen(lambda line: lines.append(json.loads(line)))
    yield lines
    stop()


def wanting(product, *tokens):
    return {"items": [{"product_id": str(product.id), "quantity": 1}], "attribution_tokens": list(tokens)}


def test_tokens_that_hold_are_kept_and_shown_again(api):
    vendor, store = a_vendor(), a_buyer()
    product = a_product(vendor)
    buyer = api.as_staff_of(store)
    shown = an_ad_token(store, vendor, event=AdEvent.IMPRESSION)
    clicked = an_ad_token(store, product)

    reply = buyer.post("", wanting(product, shown, clicked))

    assert (reply.status, reply.data["attribution_tokens"]) == (200, [clicked, shown])
    assert buyer.get("").data["attribution_tokens"] == [clicked, shown]
    assert buyer.get("", refresh="true").data["attribution_tokens"] == [clicked, shown]


def test_forged_foreign_and_nonsensical_tokens_are_dropped_with_a_log_line(api, said):
    store, product = a_buyer(), a_product()
    good, foreign = an_ad_token(store, product), an_ad_token(a_buyer(), product)
    head, body, signature = good.split(".")

    reply = api.as_staff_of(store).post(
        "", wanting(product, foreign, "nonsense", "", f"{head}.{body}.{signature[::-1]}", "x" * 2_048, good)
    )

    assert (reply.status, reply.data["attribution_tokens"]) == (200, [good])
    (dropped,) = [line for line in said if line["message"] == "attribution_tokens_dropped"]
    assert (dropped["dropped"], dropped["kept"]) == (5, 1)
    assert good not in json.dumps(said)


def test_a_token_expires_even_in_a_cart_that_is_priced_again(api, freeze):
    store, product = a_buyer(), a_product()
    buyer = api.as_staff_of(store)
    moment = clock.now()
    freeze(moment - timedelta(days=30) + timedelta(minutes=5))
    token = an_ad_token(store, product)
    freeze(moment)
    assert buyer.post("", wanting(product, token)).data["attribution_tokens"] == [token]

    freeze(moment + timedelta(minutes=5))

    assert buyer.get("", refresh="true").data["attribution_tokens"] == []


def test_repeats_fold_to_the_newest_and_the_same_token_twice_is_one(api):
    store, product = a_buyer(), a_product()
    now = clock.now()
    old, new = (an_ad_token(store, product, occurred_at=now - timedelta(hours=age)) for age in (2, 1))

    reply = api.as_staff_of(store).post("", wanting(product, old, new, new, old))

    assert reply.data["attribution_tokens"] == [new]


@pytest.mark.parametrize(
    ("tokens", "path"),
    [(["t"] * 51, "attribution_tokens"), (["t" * 2_049], "attribution_tokens[0]"), ([1], "attribution_tokens[0]")],
    ids=["too many", "too long", "no text"],
)
def test_more_or_longer_tokens_than_allowed_are_a_bad_body(api, tokens, path):
    reply = api.as_staff_of(a_buyer()).post("", wanting(a_product(), *tokens))

    assert (reply.status, reply.error.fields) == (400, [path])


def test_fifty_tokens_cost_no_statement_more(api, statements):
    store, product = a_buyer(), a_product()
    tokens = [an_ad_token(store, a_vendor()) for _ in range(50)]

    with statements() as counted:
        reply = api.as_staff_of(store).post("", wanting(product, *tokens))

    assert (len(reply.data["attribution_tokens"]), counted.sql) == (50, 4)
