"""Every event goes its real way: a row of the outbox, the publisher, Pub/Sub, the function, and what that does."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from infra.local.gateway.loading import load
from infra.local.gateway.routing import Gateway
from infra.local.mailbox import StandIn
from infra.local.processes import wait_until
from infra.local.pubsub import Emulator, running_emulator
from infra.manifest import load_all
from infra.provision.pubsub import Clients, Delivery, plan
from infra.provision.steps import carry_out
from shared.events.catalogue import CATALOGUE
from shared.events.checkout import OrderCreated
from shared.events.media import MediaDeleted, MediaUploaded
from shared.events.orders import OrderReadyForDispatch
from shared.identity.permissions import SystemRole
from shared.integrations import pubsub
from shared.kit.db import read_only, transaction
from shared.kit.outbox import Event, OutboxEvent, emit
from shared.kit.publishing import PublishingSettings
from shared.media import deletion
from shared.media.models import Media, MediaStatus
from shared.notifications.drafting import drafts_of
from shared.notifications.models import EmailDelivery, Notification
from shared.orders.models import Order, OrderStatus
from tests.builders.media import a_license, a_media
from tests.builders.orders import an_agent, an_order
from tests.builders.outbox import dead_letters, waiting
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_member, a_user, a_vendor
from tests.contracts.specification import AWAITING_THEIR_FUNCTION
from tests.mail import fresh_sendgrid, sendgrid_server  # noqa: F401 - fixtures
from tests.media import media_now, uploaded_bytes
from tests.orders import assignments_now
from tests.patience import PATIENCE_S
from tests.samples import sample
from tests.settings import TEST_SETTINGS

WITHIN_S = PATIENCE_S

pytestmark = pytest.mark.usefixtures("committed_database", "object_storage")


@dataclass(frozen=True)
class Backbone:
    """The emulator, the functions behind it, and a subscription that keeps what no function hears yet."""

    emulator: Emulator
    clients: Clients
    url: str

    def publish(self) -> None:
        """One short run of the publisher, as Cloud Scheduler starts it."""
        httpx.post(f"{self.url}/_functions/cron_publish_outbox", timeout=PATIENCE_S).raise_for_status()

    def is_quiet(self) -> bool:
        """Whether every event is out and every delivery done."""
        self.publish()
        subscriptions = httpx.get(f"{self.emulator.control_url}/stats").json()["subscriptions"]
        under_way = [
            held["outstanding"] + held["waiting"] for path, held in subscriptions.items() if "/kept-" not in path
        ]
        return not waiting() and not any(under_way)

    def kept(self, topic: str) -> list[str]:
        """The ids of the events that a topic was sent."""
        path = self.clients.subscription(f"kept-{topic}")
        answer = self.clients.subscriber.pull(subscription=path, max_messages=1_000)
        return sorted(got.message.attributes["event_id"] for got in answer.received_messages)


@pytest.fixture
def backbone(sendgrid: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Backbone]:
    monkeypatch.setenv("PF_OUTBOX_WINDOW_S", "0.3")
    monkeypatch.setenv("PF_OUTBOX_POLL_MS", "20")
    PublishingSettings.forget()
    manifests = [manifest for manifest in load_all() if manifest.trigger.kind == "topic"]
    publisher = [manifest for manifest in load_all() if manifest.name == "cron_publish_outbox"]
    server = make_server("127.0.0.1", 0, Gateway(load(manifests + publisher, tmp_path)), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    with running_emulator() as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
        clients, url = Clients(TEST_SETTINGS["PF_GCP_PROJECT"]), f"http://127.0.0.1:{server.port}"
        delivery = Delivery(endpoint=f"{url}/_functions/{{name}}", minimum_backoff_s=0.1, maximum_backoff_s=0.2)
        carry_out(plan(clients, manifests, delivery), say=lambda _: None)
        for topic in AWAITING_THEIR_FUNCTION:
            name, path = clients.subscription(f"kept-{topic}"), clients.topic(topic)
            clients.subscriber.create_subscription(name=name, topic=path)
        yield Backbone(emulator, clients, url)
        pubsub.forget()
        clients.close()
    server.shutdown()
    thread.join()
    server.server_close()
    PublishingSettings.forget()


@dataclass(frozen=True)
class Scene:
    """What the events are about, so that each finds what it needs to have its effect."""

    order: Order
    photo: Media
    doomed: Media
    ids: dict[str, Any]

    def event(self, kind: type[Event]) -> Event:
        """The catalogue's example, of things that are there."""
        own = {MediaDeleted: {"media_id": self.doomed.id}}.get(kind, {})
        known = {name: self.ids[name] for name in kind.example.keys() & self.ids.keys()}
        return kind.model_validate({**kind.example, **known, **own})


def a_scene() -> Scene:
    buyer, vendor, person = a_buyer(), a_vendor(), a_user()
    for store in (buyer, vendor):
        a_member(store)
    a_user(system_role=SystemRole.ADMIN)
    agent = an_agent()
    order = an_order(OrderStatus.READY_FOR_DISPATCH, buyer=buyer, vendor=vendor)
    running_low = a_product(vendor, available_qty=3, low_stock_threshold=5)
    photo, doomed = (a_media(vendor, status=MediaStatus.UPLOADED, mime_type="image/png") for _ in range(2))
    for media in (photo, doomed):
        stored = uploaded_bytes(media, sample("image/png"))
        with transaction() as session:
            session.get_one(Media, media.id).confirm_upload(generation=stored.generation, md5_hash=stored.md5_hash)
    ids = {
        "store_id": vendor.id,
        "buyer_store_id": buyer.id,
        "vendor_store_id": vendor.id,
        "vendor_store_ids": [vendor.id],
        "user_id": person.id,
        "owner_user_id": person.id,
        "agent_user_id": agent.id,
        "order_id": order.id,
        "order_number": order.order_number,
        "order_ids": [order.id],
        "product_id": running_low.id,
        "product_ids": [running_low.id],
        "license_id": a_license(vendor).id,
        "media_id": photo.id,
        "generation": media_now(photo).generation,
    }
    return Scene(order, photo, doomed, ids)


def announced(scene: Scene) -> dict[str, OutboxEvent]:
    """One event of every type, each written down in a transaction of its own."""
    rows = {}
    for event_type, kind in CATALOGUE.items():
        with transaction() as session:
            if kind is MediaDeleted:
                deletion.request_deletion(session, scene.doomed.store_id, scene.doomed.id)
            else:
                emit(session, scene.event(kind))
            newest = select(OutboxEvent).where(OutboxEvent.event_type == event_type)
            rows[event_type] = session.scalars(newest).one()
    return rows


def told(event_id: UUID) -> list[tuple[Any, ...]]:
    """Who was told in the application."""
    where = (Notification.recipient_store_id, Notification.recipient_role, Notification.recipient_user_id)
    with read_only() as session:
        return sorted(map(tuple, session.execute(select(*where).where(Notification.event_id == event_id))), key=str)


def to_be_told(event: Event) -> list[tuple[Any, ...]]:
    shown = [draft.recipient for draft in drafts_of(event) if draft.mail is None or not draft.mail.alone]
    return sorted(((to.store_id, to.role, to.user_id) for to in shown), key=str)


def mailed(event_id: UUID) -> list[tuple[str, str]]:
    """Which mails were written for an event and what became of them."""
    columns = (EmailDelivery.template, EmailDelivery.status, EmailDelivery.id)
    with read_only() as session:
        rows = session.execute(select(*columns).where(EmailDelivery.event_id == event_id)).all()
    return [(row.template, row.status) for row in rows]


def test_every_event_goes_its_whole_way_to_its_effect_once(backbone, sendgrid, events):
    scene = a_scene()
    rows = announced(scene)

    assert wait_until(backbone.is_quiet, timeout_s=WITHIN_S)

    typed = {event_type: CATALOGUE[event_type].model_validate(row.payload) for event_type, row in rows.items()}
    people = {name for name, kind in CATALOGUE.items() if "notifications" in kind.topics}
    assert dead_letters() == []

    # Notifications: everybody in the table of messages is told, and somebody is mailed.
    assert {name: told(rows[name].id) for name in people} == {name: to_be_told(typed[name]) for name in people}
    sent = {name: set(mailed(rows[name].id)) for name in people}
    assert sent == {name: {(name, "sent")} for name in people}
    in_all = [mail for row in events.rows() for mail in mailed(row.id)]
    assert len(sendgrid.mails) == len(in_all)

    # Dispatch, media-process and media-delete: each did its own.
    assert len(assignments_now(scene.order)) == 1
    assert media_now(scene.photo).status is MediaStatus.READY
    with read_only() as session:
        assert session.get(Media, scene.doomed.id) is None

    # What nobody hears yet waits in its topic, once.
    for topic in AWAITING_THEIR_FUNCTION:
        there = sorted(str(row.id) for row in events.rows() if topic in CATALOGUE[row.event_type].topics)
        assert there
        assert backbone.kept(topic) == there

    # Consumers tell of what they did by events that went the same way.
    assert events.types().count("order_assigned") == 2
    assert events.types().count("inventory_low") == 2
    assert events.types().count("media_processed") == 2
    assert {OrderReadyForDispatch, OrderCreated, MediaUploaded} <= {type(event) for event in typed.values()}
