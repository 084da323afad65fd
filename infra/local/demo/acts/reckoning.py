"""Ledger, stock, events and notifications of this telling: printed, and held against each other."""

from collections import Counter
from statistics import median

import httpx

from infra.local.console import done, note, step
from infra.local.demo.acts.buying import TOTAL_A, TOTAL_B_WITHOUT_ROSIN
from infra.local.demo.books import Books, Stock
from infra.local.demo.expectations import eventually, expect
from infra.local.demo.story import Business, Story

# What is left of each product; the rosin was given back, the soda never sold.
_LEFT = {"flower": 440, "gummies": 194, "cart": 93, "rosin": 30, "soda": 2}
_ORDER_EVENTS = (
    "order_decided",
    "order_ready_for_dispatch",
    "order_assigned",
    "order_in_transit",
    "order_delivered",
    "cash_collected",
    "order_paid",
)


def play(story: Story) -> None:
    books = Books(story.stack.database_url)
    for vendor, total_cents in zip(story.vendors, (TOTAL_A, TOTAL_B_WITHOUT_ROSIN), strict=True):
        _ledger(story, vendor, total_cents)
        _stock(books, vendor)
    _events(story, books)
    for vendor, total_cents in zip(story.vendors, (TOTAL_A, TOTAL_B_WITHOUT_ROSIN), strict=True):
        _vendor_is_told(story, vendor, total_cents)
    _buyer_is_told(story)


def _ledger(story: Story, vendor: Business, total_cents: int) -> None:
    with step(f"Ledger of order {vendor.order_number}: what came in went out"):
        entries = story.admin.get("/admin/ledger", order_id=vendor.order_id)
        expect(
            sorted((entry["type"], entry["amount_cents"]) for entry in entries),
            [("cash_collected", total_cents), ("vendor_payout", total_cents)],
            "the ledger",
        )
    note(f"${total_cents / 100:,.2f} collected, ${total_cents / 100:,.2f} paid out")


def _stock(books: Books, vendor: Business) -> None:
    with step(f"Stock of {vendor.name} is what its movements say, and nothing is reserved"):
        for key, product_id in vendor.product_ids.items():
            left = _LEFT[key]
            expect(books.stock(product_id), Stock(left, 0, left, 0), f"the stock of {key}")
    note(", ".join(f"{key} {_LEFT[key]}" for key in vendor.product_ids))


def _events(story: Story, books: Books) -> None:
    about = [story.checkout_group_id, *(vendor.order_id for vendor in story.vendors)]
    eventually(
        lambda: all(event.is_published for event in books.events(about)), True, "Every event has reached its topics"
    )
    events = books.events(about)
    expect(
        Counter(event.event_type for event in events),
        Counter({"order_created": 1, "checkout_converted": 1, **dict.fromkeys(_ORDER_EVENTS, 2)}),
        "the events of the two orders",
    )
    typical_ms = median(event.latency_ms for event in events)
    done(f"{len(events)} events, half of them published within {typical_ms:.0f} ms of their change")
    for event in events:
        note(f"{event.event_type:<26}{event.latency_ms:6.0f} ms")


def _vendor_is_told(story: Story, vendor: Business, total_cents: int) -> None:
    number, amount = vendor.order_number, f"${total_cents / 100:,.2f}"
    mailed = [
        "New order",
        f"{amount} was collected for order {number}",
        f"{amount} was paid out for order {number}",
    ]
    _told(story, vendor, [*mailed, f"Order {number} was picked up", f"Order {number} was delivered"], mailed)


def _buyer_is_told(story: Story) -> None:
    status = {story.vendor_a.order_id: "accepted", story.vendor_b.order_id: "partially accepted"}
    titles = [
        title
        for vendor in story.vendors
        for number in [vendor.order_number]
        for title in (
            f"Order {number} was {status[vendor.order_id]}",
            f"Order {number} is packed",
            f"Order {number} is on its way",
            f"Order {number} was delivered",
        )
    ]
    _told(story, story.buyer, titles, titles)


def _told(story: Story, business: Business, titles: list[str], mailed: list[str]) -> None:
    """The store was told all of this once each, in whatever order the events arrived, and some of it by mail."""

    def notified() -> list[str]:
        page = business.owner.get("/notifications", limit=100)
        return sorted(one["title"] for one in page if one["type"] == "order_alert")

    def in_the_mailbox() -> list[str]:
        answer = httpx.get(f"{story.stack.mailbox_url}/mails", params={"to": business.owner.email}, timeout=30)
        return sorted(mail["subject"] for mail in answer.json()["mails"] if mail["subject"] in titles)

    eventually(notified, sorted(titles), f"{business.name} was told")
    eventually(in_the_mailbox, sorted(mailed), f"{business.name} got {len(mailed)} mails about it")
    for title in titles:
        note(f"{title}{' (and by mail)' if title in mailed else ''}")
