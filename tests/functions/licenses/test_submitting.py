"""A store submits licenses: every rule refuses on its own, and a refusal writes nothing."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from shared.events.licenses import LicenseSubmitted
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import Role
from shared.kit.db import read_only
from shared.licensing.models import License, LicenseStatus, LicenseType
from shared.media.kinds import MediaKind
from shared.media.models import USABLE, MediaStatus
from tests.builders.media import a_license, a_media
from tests.builders.stores import a_buyer, a_vendor
from tests.events import audited
from tests.media import media_now, uploaded_bytes, users_of

NOON = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def _at_noon(freeze):
    freeze(NOON)


def body(document, **more):
    return {
        "type": "grower",
        "number": "GAAA-4KXJ-9PQR",
        "issuing_state": "OK",
        "issued_on": "2026-02-01",
        "expires_on": "2027-01-31",
        "media_id": str(document.id),
    } | more


def a_new_store(**fields) -> Store:
    return a_vendor(kyc_status=KycStatus.PENDING_VERIFICATION, **fields)


def kyc_of(store) -> KycStatus:
    with read_only() as session:
        return session.get(Store, store.id).kyc_status


def count_of_licenses() -> int:
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(License))


def assert_nothing_was_written(events, document=None):
    assert count_of_licenses() == 0
    assert events.emitted() == []
    assert audited() == []
    if document is not None:
        assert users_of(document) == []


def test_a_license_is_submitted_whole(api, events):
    store = a_new_store()
    document = a_media(store, MediaKind.LICENSE_DOC)
    uploaded_bytes(document, b"%PDF- the license")

    reply = api.as_member(store, Role.MANAGER).post("", body(document))

    with read_only() as session:
        (license,) = session.scalars(select(License))
    assert reply.status == 201
    assert reply.data == {
        "id": str(license.id),
        "store_id": str(store.id),
        "type": "grower",
        "number": "GAAA-4KXJ-9PQR",
        "issuing_state": "OK",
        "issued_on": "2026-02-01",
        "expires_on": "2027-01-31",
        "status": "pending",
        "reason": None,
        "reviewed_at": None,
        "media_id": str(document.id),
        "document_url": reply.data["document_url"],
        "document_url_expires_at": "2026-11-20T18:10:00Z",
        "created_at": "2026-11-20T18:00:00Z",
    }
    assert httpx.get(reply.data["document_url"]).content == b"%PDF- the license"
    assert users_of(document) == [("license", license.id)]
    assert events.emitted() == [LicenseSubmitted(license_id=license.id, store_id=store.id)]
    assert audited() == [
        (
            "license.submitted",
            license.id,
            {
                "type": "grower",
                "number": "GAAA-4KXJ-9PQR",
                "issuing_state": "OK",
                "expires_on": "2027-01-31",
                "status": "pending",
                "media_id": str(document.id),
            },
        )
    ]
    assert kyc_of(store) is KycStatus.PENDING_VERIFICATION


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (KycStatus.PENDING_VERIFICATION, KycStatus.PENDING_VERIFICATION),
        (KycStatus.REJECTED, KycStatus.PENDING_VERIFICATION),
        (KycStatus.EXPIRED, KycStatus.PENDING_VERIFICATION),
        (KycStatus.SUSPENDED, KycStatus.SUSPENDED),
    ],
)
def test_a_store_waits_for_its_new_license(api, before, after):
    store = a_vendor(kyc_status=before)
    document = a_media(store, MediaKind.LICENSE_DOC)

    api.as_member(store).post("", body(document))

    assert kyc_of(store) is after


def test_a_verified_store_stays_verified_while_it_renews(api):
    store = a_vendor()
    a_license(store)
    document = a_media(store, MediaKind.LICENSE_DOC)

    api.as_member(store).post("", body(document))

    assert kyc_of(store) is KycStatus.VERIFIED


@pytest.mark.parametrize("license_type", LicenseType)
def test_every_type_of_license_and_both_types_of_store(api, license_type):
    for store in (a_new_store(), a_buyer()):
        document = a_media(store, MediaKind.LICENSE_DOC)

        reply = api.as_member(store).post("", body(document, type=license_type, number=f"N-{store.id}"))

        assert (reply.status, reply.data["type"]) == (201, license_type)


@pytest.mark.parametrize("status", MediaStatus)
def test_the_document_is_uploaded_first(api, events, status):
    store = a_new_store()
    document = a_media(store, MediaKind.LICENSE_DOC, status=status)

    reply = api.as_member(store).post("", body(document))

    if status in USABLE:
        assert reply.status == 201
    else:
        assert (reply.status, reply.error.code, reply.error.reason) == (422, "STATE_CONFLICT", f"media_{status}")
        assert_nothing_was_written(events, document)


@pytest.mark.parametrize("kind", [kind for kind in MediaKind if kind is not MediaKind.LICENSE_DOC])
def test_the_document_is_a_license_document(api, events, kind):
    store = a_new_store()
    document = a_media(store, kind)

    reply = api.as_member(store).post("", body(document))

    assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", ["media_id"])
    assert_nothing_was_written(events, document)


def test_the_document_is_the_stores_own(api, events):
    foreign = a_media(kind=MediaKind.LICENSE_DOC)
    caller = api.as_member(a_new_store())

    replies = [caller.post("", body(foreign)), caller.post("", body(foreign, media_id=str(uuid4())))]

    assert [(reply.status, reply.error.code, reply.error.message) for reply in replies] == [
        (404, "NOT_FOUND", "There is no such media here.")
    ] * 2
    assert_nothing_was_written(events, foreign)


@pytest.mark.parametrize(
    ("issued_on", "expires_on", "accepted"),
    [
        ("2026-02-01", "2027-01-31", True),
        ("2026-11-21", "2026-11-21", True),
        ("2026-11-20", "2026-11-21", True),
        ("2026-11-20", "2026-11-20", False),
        ("2026-02-01", "2026-11-19", False),
        ("2027-02-01", "2027-01-31", False),
    ],
)
def test_dates_make_sense(api, events, issued_on, expires_on, accepted):
    store = a_new_store()
    document = a_media(store, MediaKind.LICENSE_DOC)

    reply = api.as_member(store).post("", body(document, issued_on=issued_on, expires_on=expires_on))

    if accepted:
        assert reply.status == 201
    else:
        assert (reply.status, reply.error.code, reply.error.fields) == (400, "VALIDATION_ERROR", ["expires_on"])
        assert_nothing_was_written(events, document)


def test_tomorrow_is_counted_where_the_license_was_issued(api, freeze):
    """At 3 in the morning in UTC it is still the evening before in Oklahoma."""
    freeze(datetime(2026, 11, 21, 3, 0, tzinfo=UTC))
    store = a_new_store()
    document = a_media(store, MediaKind.LICENSE_DOC)

    reply = api.as_member(store).post("", body(document, expires_on="2026-11-21"))

    assert reply.status == 201


@pytest.mark.parametrize("number", ["GAAA-4KXJ-9PQR", "gaaa-4kxj-9pqr", " GAAA - 4KXJ - 9PQR "])
def test_a_number_is_on_file_once_for_each_state(api, events, number):
    first = a_license(number="GAAA-4KXJ-9PQR")
    store = a_new_store()
    document = a_media(store, MediaKind.LICENSE_DOC)
    caller = api.as_member(store)

    taken = caller.post("", body(document, number=number))
    nothing = (count_of_licenses(), events.emitted(), audited(), users_of(document))
    elsewhere = caller.post("", body(document, number=number, issuing_state="TX"))

    assert (taken.status, taken.error.code, taken.error.reason) == (409, "CONFLICT", "license_number_taken")
    assert str(first.store_id).encode() not in taken.raw
    assert nothing == (1, [], [], [])
    assert (elsewhere.status, elsewhere.data["number"]) == (201, "GAAA-4KXJ-9PQR")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"type": "importer"}, "type"),
        ({"number": ""}, "number"),
        ({"number": "<b>"}, "number"),
        ({"number": "x" * 41}, "number"),
        ({"issuing_state": "Oklahoma"}, "issuing_state"),
        ({"issued_on": "last year"}, "issued_on"),
        ({"media_id": "1"}, "media_id"),
        ({"status": "verified"}, "status"),
    ],
)
def test_an_odd_body_is_refused(api, events, changed, field):
    store = a_new_store()
    document = a_media(store, MediaKind.LICENSE_DOC)

    reply = api.as_member(store).post("", body(document) | changed)

    assert (reply.status, reply.error.fields) == (400, [field])
    assert_nothing_was_written(events, document)


@pytest.mark.parametrize("role", Role)
def test_who_may_submit(api, events, role):
    store = a_new_store()
    document = a_media(store, MediaKind.LICENSE_DOC)

    reply = api.as_member(store, role).post("", body(document))

    if role in {Role.OWNER, Role.ADMIN, Role.MANAGER}:
        assert reply.status == 201
    else:
        assert (reply.status, reply.error.details) == (403, {"permission": "licenses:write"})
        assert_nothing_was_written(events, document)


def test_a_repeat_submits_once(api, events):
    store = a_new_store()
    document = a_media(store, MediaKind.LICENSE_DOC)
    caller = api.as_member(store)

    first, again = (caller.post("", body(document), key="license-1") for _ in range(2))

    assert (first.status, again.raw) == (201, first.raw)
    assert (count_of_licenses(), len(events.emitted())) == (1, 1)


@pytest.mark.parametrize("status", LicenseStatus)
def test_only_a_license_that_is_good_for_nothing_is_removed(api, events, status):
    store = a_vendor()
    license = a_license(store, status=status)

    reply = api.as_member(store, Role.MANAGER).delete(f"/{license.id}")

    document = _document_of(license)
    if status in {LicenseStatus.EXPIRED, LicenseStatus.REJECTED}:
        assert (reply.status, reply.raw) == (204, b"")
        assert (count_of_licenses(), users_of(document)) == (0, [])
        assert document.status is MediaStatus.DELETE_REQUESTED
        assert [(event.event_type(), event.media_id) for event in events.emitted()] == [
            ("media_deleted", license.media_id)
        ]
        assert [(action, target) for action, target, _ in audited()] == [("license.deleted", license.id)]
        assert kyc_of(store) is KycStatus.PENDING_VERIFICATION
    else:
        assert (reply.status, reply.error.code, reply.error.reason) == (422, "STATE_CONFLICT", f"license_{status}")
        assert (count_of_licenses(), events.emitted(), audited()) == (1, [], [])
        assert users_of(document) == [("license", license.id)]
        assert kyc_of(store) is KycStatus.VERIFIED


def _document_of(license):
    from shared.media.models import Media

    with read_only() as session:
        return session.get(Media, license.media_id)


def test_a_document_that_another_license_uses_stays(api, events):
    store = a_vendor()
    kept = a_license(store)
    removed = a_license(store, status=LicenseStatus.REJECTED, media_id=kept.media_id)
    from shared.media.models import EntityType
    from tests.builders.media import attached

    attached(_document_of(kept), EntityType.LICENSE, removed.id)

    reply = api.as_member(store).delete(f"/{removed.id}")

    assert (reply.status, events.emitted()) == (204, [])
    assert media_now(_document_of(kept)).status is MediaStatus.UPLOADED
    assert users_of(_document_of(kept)) == [("license", kept.id)]
    assert kyc_of(store) is KycStatus.VERIFIED


def test_another_stores_license_is_not_there(api, events):
    license = a_license(status=LicenseStatus.REJECTED)
    stranger = api.as_member(a_vendor())

    replies = [stranger.get(f"/{license.id}"), stranger.delete(f"/{license.id}"), stranger.get(f"/{uuid4()}")]

    assert [(reply.status, reply.error.message) for reply in replies] == [(404, "There is no such license here.")] * 3
    assert stranger.get().data == []
    assert (count_of_licenses(), events.emitted()) == (1, [])


def test_every_member_sees_the_stores_licenses_newest_first(api, freeze, statements):
    store = a_vendor()
    licenses = []
    for day, status in enumerate([*LicenseStatus, LicenseStatus.PENDING]):
        freeze(NOON + timedelta(days=day))
        licenses.append(a_license(store, status=status))
    caller = api.as_member(store, Role.VIEWER)

    with statements() as cost:
        first = caller.get(limit=2)
    rest = caller.get(limit=100, cursor=first.page["next"])
    chosen = caller.get(status="pending,expired")

    newest_first = [str(license.id) for license in licenses[::-1]]
    assert [row["id"] for row in first.data + rest.data] == newest_first
    assert all(row["document_url"] for row in first.data + rest.data)
    assert (rest.page["next"], cost.sql) == (None, 1)
    assert {row["status"] for row in chosen.data} == {"pending", "expired"}
    assert len(chosen.data) == 3
    assert caller.get(f"/{licenses[0].id}").data["id"] == str(licenses[0].id)
    assert caller.get(status="lost").error.fields == ["status[0]"]
