"""What is uploaded is checked once for each generation: confirmed, or refused and removed."""

import pytest

from shared.events.media import MediaUploaded
from shared.integrations.gcs import object_store
from shared.kit import clock
from shared.media.kinds import EXTENSIONS, MediaKind
from shared.media.models import MediaStatus
from tests.builders.media import a_media
from tests.media import media_now, stored, uploaded_bytes
from tests.samples import sample
from tests.storage import PUBLIC_MEDIA_BUCKET

PDF = sample("application/pdf")
GOING = [MediaStatus.DELETE_REQUESTED, MediaStatus.DELETE_FAILED, MediaStatus.DELETED]


def announced(mime_type="application/pdf", content=PDF, *, kind=MediaKind.OTHER, **fields):
    """A pending file, announced with the size of `content`."""
    return a_media(kind=kind, mime_type=mime_type, status=MediaStatus.PENDING, size_bytes=len(content), **fields)


def uploaded_event(media, generation):
    return MediaUploaded(media_id=media.id, store_id=media.store_id, kind=media.kind, generation=generation)


@pytest.fixture
def outcomes(capsys):
    """What became of each delivery so far, as the log tells."""
    import json

    def read():
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        return [line["outcome"] for line in lines if line["message"] == "delivery"]

    return read


@pytest.mark.parametrize("mime_type", EXTENSIONS)
def test_a_file_of_its_announced_type_is_confirmed(tell, events, freeze, mime_type):
    content = sample(mime_type)
    media = announced(mime_type, content)
    put = uploaded_bytes(media, content)
    freeze(clock.now())

    status = tell(media, put)

    now = media_now(media)
    assert (status, now.status, now.failure_reason) == (204, MediaStatus.UPLOADED, None)
    assert (now.uploaded_at, now.generation, now.md5_hash) == (clock.now(), put.generation, put.md5_hash)
    assert events.emitted() == [uploaded_event(media, put.generation)]
    assert stored(media) == put


@pytest.mark.parametrize("kind", MediaKind)
def test_every_kind_is_confirmed_alike(tell, events, kind):
    from shared.media.kinds import RULES

    mime_type = next(iter(RULES[kind].max_bytes))
    media = announced(mime_type, sample(mime_type), kind=kind)
    put = uploaded_bytes(media, sample(mime_type))

    tell(media, put)

    assert media_now(media).status is MediaStatus.UPLOADED
    assert events.emitted() == [uploaded_event(media, put.generation)]


@pytest.mark.parametrize(
    ("mime_type", "actual"), [(one, other) for one in EXTENSIONS for other in EXTENSIONS if one != other]
)
def test_the_first_bytes_of_another_type_are_found_out(tell, events, freeze, mime_type, actual):
    content = sample(actual)
    media = announced(mime_type, content)
    put = uploaded_bytes(media, content)
    freeze(clock.now())

    status = tell(media, put)

    now = media_now(media)
    assert (status, now.status, now.failed_at) == (204, MediaStatus.FAILED, clock.now())
    assert now.failure_reason == f"Its content is {actual} instead of {mime_type}."
    assert (now.generation, now.uploaded_at) == (put.generation, None)
    assert events.emitted() == []
    assert stored(media) is None


@pytest.mark.parametrize(
    "content", [b"<html><script>alert(1)</script></html>", b"MZ\x90\x00", b"PK\x03\x04" + bytes(60), b"x", bytes(9_000)]
)
def test_content_that_is_no_picture_is_found_out(tell, events, content):
    media = announced("image/png", content)

    status = tell(media, uploaded_bytes(media, content))

    assert (status, media_now(media).status) == (204, MediaStatus.FAILED)
    assert media_now(media).failure_reason.endswith("instead of image/png.")
    assert (stored(media), events.emitted()) == (None, [])


@pytest.mark.parametrize("more", [1, 5_000_000, -1])
def test_another_size_than_announced_is_refused(tell, events, more):
    media = announced()
    content = (PDF + b"\n" * more) if more > 0 else PDF[:more]

    status = tell(media, uploaded_bytes(media, content))

    assert (status, media_now(media).status) == (204, MediaStatus.FAILED)
    assert media_now(media).failure_reason == f"It has {len(content)} bytes instead of {len(PDF)}."
    assert (stored(media), events.emitted()) == (None, [])


def test_another_type_than_announced_is_refused(tell, events):
    media = announced()

    tell(media, uploaded_bytes(media, PDF, content_type="text/html"))

    assert media_now(media).failure_reason == "It was sent as text/html instead of application/pdf."
    assert (stored(media), events.emitted()) == (None, [])


def test_the_same_event_twice_changes_nothing(tell, events, outcomes, freeze):
    media = announced()
    put = uploaded_bytes(media, PDF)
    freeze(clock.now())
    tell(media, put)
    before = media_now(media)

    freeze(clock.now().replace(year=2040))
    again = tell(media, put)

    assert (again, outcomes()) == (204, ["uploaded", "repeated"])
    assert media_now(media).uploaded_at == before.uploaded_at
    assert events.emitted() == [uploaded_event(media, put.generation)]


def test_a_delivery_finds_done_what_a_rival_did_while_it_looked(tell, events, outcomes, monkeypatch):
    media = announced()
    put = uploaded_bytes(media, PDF)
    look = object_store().read_head

    def beaten(*where, **which):
        monkeypatch.setattr(object_store(), "read_head", look)
        tell(media, put)
        return look(*where, **which)

    monkeypatch.setattr(object_store(), "read_head", beaten)
    tell(media, put)

    assert outcomes() == ["uploaded", "repeated"]
    assert events.emitted() == [uploaded_event(media, put.generation)]


def test_events_out_of_order_leave_the_newest(tell, events, outcomes):
    media = announced()
    first = uploaded_bytes(media, PDF)
    second = uploaded_bytes(media, PDF)

    tell(media, second)
    tell(media, first)

    assert outcomes() == ["uploaded", "older_generation"]
    assert media_now(media).generation == second.generation
    assert stored(media) == second
    assert events.emitted() == [uploaded_event(media, second.generation)]


def test_an_event_of_bytes_that_were_replaced_waits_for_its_successor(tell, events, outcomes):
    media = announced()
    first = uploaded_bytes(media, PDF)
    second = uploaded_bytes(media, PDF)

    tell(media, first)
    between = media_now(media).status
    tell(media, second)

    assert outcomes() == ["replaced_meanwhile", "uploaded"]
    assert between is MediaStatus.PENDING
    assert events.emitted() == [uploaded_event(media, second.generation)]


def test_a_second_upload_is_checked_like_the_first(tell, events):
    media = announced()
    tell(media, uploaded_bytes(media, b"%" + PDF[1:-1] + b"!!"))
    failed = media_now(media)

    second = uploaded_bytes(media, PDF)
    tell(media, second)

    assert (failed.status, media_now(media).status) == (MediaStatus.FAILED, MediaStatus.UPLOADED)
    assert media_now(media).failure_reason is None
    assert events.emitted() == [uploaded_event(media, second.generation)]


def test_a_file_that_is_replaced_by_nonsense_is_shown_no_more(tell):
    shown = {"public_url": "https://cdn.example/a.webp", "thumbnail_url": "https://cdn.example/b.webp"}
    media = a_media(kind=MediaKind.COA, status=MediaStatus.READY, size_bytes=len(PDF), **shown)

    tell(media, uploaded_bytes(media, b"%" + PDF[1:-1] + b"!!"))

    now = media_now(media)
    assert (now.status, now.public_url, now.thumbnail_url) == (MediaStatus.FAILED, None, None)


@pytest.mark.parametrize("status", GOING)
def test_a_file_on_its_way_out_stays_so(tell, events, outcomes, status):
    media = a_media(kind=MediaKind.COA, status=status, size_bytes=len(PDF))
    put = uploaded_bytes(media, PDF)

    answer = tell(media, put)

    assert (answer, outcomes()) == (204, ["deleted"])
    assert (media_now(media).status, media_now(media).generation) == (status, None)
    assert (stored(media), events.emitted()) == (put, [])


@pytest.mark.parametrize("change", [{"name": "somebody/else.pdf"}, {"bucket": PUBLIC_MEDIA_BUCKET}])
def test_an_object_that_is_nobodys_is_left_alone(tell, events, outcomes, change):
    media = announced()
    put = uploaded_bytes(media, PDF)

    answer = tell(media, put, **change)

    assert (answer, outcomes()) == (204, ["unknown_key"])
    assert media_now(media).status is MediaStatus.PENDING
    assert (stored(media), events.emitted()) == (put, [])


def test_a_refused_object_is_removed_by_the_repeat_when_the_first_delivery_stopped_half_way(tell, outcomes):
    media = announced("image/png", PDF)
    put = uploaded_bytes(media, PDF)
    tell(media, put)
    from shared.kit.db import transaction
    from shared.media.models import Media

    again = uploaded_bytes(media, PDF)
    with transaction() as session:
        session.get(Media, media.id).generation = again.generation

    tell(media, again)

    assert outcomes() == ["failed", "repeated"]
    assert stored(media) is None


def test_while_the_storage_is_down_the_event_is_asked_for_again(tell, events, outcomes, monkeypatch):
    from shared.integrations import gcs

    media = announced()
    put = uploaded_bytes(media, PDF)
    gcs.forget()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(gcs, "_RETRIES_S", 0.1)
    refused = tell(media, put)
    gcs.forget()
    monkeypatch.undo()

    accepted = tell(media, put)

    assert ((refused, accepted), outcomes()) == ((500, 204), ["refused", "uploaded"])
    assert events.emitted() == [uploaded_event(media, put.generation)]


@pytest.mark.parametrize(
    "change", [{"generation": "soon"}, {"size": None}, {"bucket": None, "name": None, "generation": None}]
)
def test_an_event_that_nobody_can_read_is_dropped_and_told(tell, events, outcomes, change):
    media = announced()

    answer = tell(media, uploaded_bytes(media, PDF), **change)

    assert (answer, outcomes(), events.emitted()) == (204, ["unreadable"], [])
    assert media_now(media).status is MediaStatus.PENDING


@pytest.mark.parametrize(
    ("data", "headers", "outcome"),
    [
        (b"not json", {"ce-type": "google.cloud.storage.object.v1.finalized", "ce-id": "1"}, "unreadable"),
        (b"[]", {"ce-type": "google.cloud.storage.object.v1.finalized", "ce-id": "1"}, "unreadable"),
        (b"{}", {"ce-type": "google.cloud.storage.object.v1.finalized"}, "unreadable"),
        (b"{}", {"ce-type": "google.cloud.storage.object.v1.deleted", "ce-id": "1"}, "ignored"),
        (b"{}", {}, "ignored"),
    ],
)
def test_strange_requests_change_nothing(send, outcomes, data, headers, outcome):
    answer = send(data=data, headers=headers, content_type="application/json")

    assert (answer.status_code, outcomes()) == (204, [outcome])


def test_health(send):
    live, ready = (send(path, method="GET") for path in ("/health/live", "/health/ready"))

    assert (live.status_code, live.get_json()) == (200, {"data": {"status": "ok"}})
    assert (ready.status_code, ready.get_json()["data"]["dependencies"]) == (200, {"database": "ok", "storage": "ok"})


def test_a_delivery_costs_few_statements(tell, statements):
    media = announced()
    put = uploaded_bytes(media, PDF)

    with statements() as first:
        tell(media, put)
    with statements() as repeat:
        tell(media, put)

    assert (first.sql, repeat.sql) == (4, 1)
