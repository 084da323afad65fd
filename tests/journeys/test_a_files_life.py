"""A file from leave to nothing: every step over HTTP, by the real functions, storage, publisher and Pub/Sub."""

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image
from werkzeug.serving import make_server

from infra.local.gateway.loading import load
from infra.local.gateway.routing import Gateway
from infra.local.processes import wait_until
from infra.local.pubsub import running_emulator
from infra.manifest import load as manifest_of
from infra.provision.pubsub import Clients, Delivery, plan
from infra.provision.steps import carry_out
from shared.identity.models import Store
from shared.identity.permissions import Role
from shared.integrations import pubsub
from shared.integrations.gcs import GoogleObjectStore, object_store
from shared.kit.db import read_only, transaction
from shared.kit.errors import DependencyDown
from shared.kit.publishing import PublishingSettings
from shared.media.models import Media, MediaAttachment
from shared.media.storage import derived_prefix
from shared.operations.replay import replay
from tests.api import sign_in
from tests.builders.outbox import dead_letters
from tests.builders.products import a_product
from tests.builders.stores import a_vendor
from tests.functions.on_media_uploaded import files
from tests.patience import PATIENCE_S
from tests.settings import TEST_SETTINGS
from tests.storage import MEDIA_BUCKET, PUBLIC_MEDIA_BUCKET

pytestmark = pytest.mark.usefixtures("committed_database")

HTTP = ("media", "products")
EVENTS = ("on_media_uploaded", "on_media_deleted", "on_dead_letter")
DELIVERIES = 5
WITHIN_S = PATIENCE_S


@dataclass(frozen=True)
class Person:
    """A member of a store, at the gateway."""

    url: str
    token: str

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": uuid4().hex}
        return httpx.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=PATIENCE_S)

    def file(self, media_id: str) -> dict[str, Any]:
        """What the media function says of a file."""
        return self.call("GET", f"/media/{media_id}").json()["data"]

    def upload(self, content: bytes, kind: str, mime_type: str) -> str:
        """Ask for leave and PUT the bytes; the media's id."""
        told = {"kind": kind, "mime_type": mime_type, "file_name": "file", "size_bytes": len(content)}
        leave = self.call("POST", "/media/presign", told).json()["data"]
        put = httpx.put(leave["upload_url"], content=content, headers=leave["headers"], timeout=PATIENCE_S)
        assert put.status_code == 200
        return leave["media_id"]


@dataclass(frozen=True)
class Stack:
    """The gateway with the functions that a file meets."""

    url: str

    def person(self, store: Store) -> Person:
        return Person(self.url, sign_in(user_id=uuid4(), store_id=store.id, store_type=store.type, role=Role.OWNER))

    def publish(self) -> None:
        """One short run of the publisher, as Cloud Scheduler starts it."""
        httpx.post(f"{self.url}/_functions/cron_publish_outbox", timeout=PATIENCE_S).raise_for_status()

    def until(self, is_so) -> None:
        """Go on publishing until something is so."""

        def look() -> bool:
            self.publish()
            return bool(is_so())

        assert wait_until(look, timeout_s=WITHIN_S)


@pytest.fixture
def stack(object_storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    monkeypatch.setenv("PF_OUTBOX_WINDOW_S", "0.3")
    monkeypatch.setenv("PF_OUTBOX_POLL_MS", "20")
    PublishingSettings.forget()
    names = (*HTTP, *EVENTS, "on_media_finalized", "cron_publish_outbox")
    gateway = Gateway(load([manifest_of(name) for name in names], tmp_path))
    server = make_server("127.0.0.1", 0, gateway, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    url = f"http://127.0.0.1:{server.port}"
    with running_emulator() as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.host)
        clients = Clients(TEST_SETTINGS["PF_GCP_PROJECT"])
        delivery = Delivery(
            endpoint=f"{url}/_functions/{{name}}", minimum_backoff_s=0.1, maximum_backoff_s=0.2, attempts=DELIVERIES
        )
        carry_out(plan(clients, [manifest_of(name) for name in EVENTS], delivery), say=lambda _: None)
        object_storage.notices.send_to(MEDIA_BUCKET, f"{url}/_functions/on_media_finalized")
        yield Stack(url)
        object_storage.notices.send_to(MEDIA_BUCKET, None)
        pubsub.forget()
        clients.close()
    server.shutdown()
    thread.join()
    server.server_close()
    PublishingSettings.forget()


def objects_of(media_id: str, key: str) -> list[str]:
    """Every object that belongs to a file, in either bucket."""
    buckets, prefixes = (MEDIA_BUCKET, PUBLIC_MEDIA_BUCKET), (derived_prefix(media_id), key)
    return [
        each.key
        for bucket in buckets
        for prefix in prefixes
        for each in object_store().list_objects(bucket, prefix=prefix)
    ]


def row_of(media_id: str) -> Media | None:
    with read_only() as session:
        return session.get(Media, media_id)


def gallery_of(product) -> list[tuple[int, str]]:
    with read_only() as session:
        rows = session.query(MediaAttachment).filter_by(entity_id=product.id).order_by(MediaAttachment.position)
        return [(row.position, str(row.media_id)) for row in rows]


def test_pictures_of_a_gallery_from_leave_to_nothing(stack):
    vendor = a_vendor()
    product = a_product(vendor)
    person = stack.person(vendor)
    photo = files.photo(640, 480)
    uploads = [
        (photo, "image/jpeg"),
        (files.moving_gif(), "image/gif"),
        (files.encoded(files.picture(), "WEBP"), "image/webp"),
        (files.film("mp4"), "video/mp4"),
        (files.film("webm"), "video/webm"),
        (files.encoded(files.picture(), "PNG"), "image/png"),
    ]

    ids = [person.upload(content, "product", mime_type) for content, mime_type in uploads]
    stack.until(lambda: all(person.file(each)["status"] == "ready" for each in ids))
    shown = person.call("PATCH", f"/vendor/products/{product.id}", {"gallery_media_ids": ids})
    public = [httpx.get(person.file(each)["public_url"]) for each in ids]
    original = httpx.get(person.file(ids[0])["url"])

    assert shown.status_code == 200
    assert [answer.status_code for answer in public] == [200] * 6
    types = [answer.headers["Content-Type"] for answer in public]
    assert types == ["image/webp"] * 3 + ["video/mp4"] * 2 + ["image/webp"]
    assert original.content == photo
    assert dict(Image.open(io.BytesIO(public[0].content)).getexif()) == {}
    assert gallery_of(product) == list(enumerate(ids))

    gone, key = ids[0], row_of(ids[0]).object_key
    asked = person.call("DELETE", f"/media/{gone}")
    stack.until(lambda: row_of(gone) is None)

    assert (asked.status_code, asked.json()["data"]["status"]) == (202, "delete_requested")
    assert objects_of(gone, key) == []
    assert httpx.get(str(public[0].url)).status_code == 404
    assert gallery_of(product) == list(enumerate(ids[1:]))
    assert person.call("GET", f"/media/{gone}").status_code == 404
    thumbnail = person.call("GET", f"/vendor/products/{product.id}").json()["data"]["thumbnail_url"]
    assert thumbnail == person.file(ids[1])["thumbnail_url"]


def test_files_that_are_not_right_end_failed_with_their_reason(stack):
    person = stack.person(a_vendor())
    png = files.encoded(files.picture(600, 400), "PNG")
    uploads = {
        "executable": (b"MZ" + bytes(2_000), "product", "image/png"),
        "page": (b"<html><script>alert(1)</script></html>", "product", "image/png"),
        "drawing": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "store", "image/png"),
        "bomb": (files.png_claiming(50_000, 50_000), "product", "image/png"),
        "truncated picture": (png[: len(png) // 2], "product", "image/png"),
        "truncated film": (files.film()[:2_000], "product", "video/mp4"),
        "locked paper": (files.locked_paper(), "coa", "application/pdf"),
    }

    ids = {name: person.upload(*upload) for name, upload in uploads.items()}
    stack.until(lambda: all(person.file(each)["status"] == "failed" for each in ids.values()))

    seen = {name: person.file(each) for name, each in ids.items()}
    assert {name: file["failure_reason"] for name, file in seen.items()} == {
        "executable": "Its content is application/x-msdownload instead of image/png.",
        "page": "Its content is of an unknown type instead of image/png.",
        "drawing": "Its content is of an unknown type instead of image/png.",
        "bomb": "The picture has 2,500,000,000 pixels; at most 40,000,000 are allowed.",
        "truncated picture": "The picture is damaged.",
        "truncated film": ("The video is damaged, encrypted, larger than 4K, or of a kind that cannot be read."),
        "locked paper": "The PDF is encrypted; save it without a password.",
    }
    assert {(file["url"], file["public_url"]) for file in seen.values()} == {(None, None)}


def test_a_deletion_that_fails_to_the_end_is_kept_and_done_once_it_is_replayed(stack, monkeypatch):
    vendor = a_vendor()
    person = stack.person(vendor)
    media_id = person.upload(files.paper(), "coa", "application/pdf")
    stack.until(lambda: person.file(media_id)["status"] == "ready")
    key = row_of(media_id).object_key

    def refuse(*_, **__):
        raise DependencyDown

    with monkeypatch.context() as patched:
        patched.setattr(GoogleObjectStore, "delete", refuse)
        person.call("DELETE", f"/media/{media_id}")
        stack.until(dead_letters)
    failed = person.file(media_id)
    (letter,) = dead_letters()
    with transaction() as session:
        replay(session, letter.id)
    stack.until(lambda: row_of(media_id) is None)

    assert (failed["status"], failed["url"]) == ("delete_failed", None)
    assert (letter.subscription, letter.attempts) == ("on_media_deleted", DELIVERIES)
    assert objects_of(media_id, key) == []
