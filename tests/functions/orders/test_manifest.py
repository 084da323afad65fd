"""The transport manifest: what stands on it, who reads it, when it is made anew, and where it is refused."""

import itertools
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import update

from shared.events.media import MediaDeleted, MediaUploaded
from shared.identity.models import Store
from shared.identity.permissions import Role
from shared.integrations.gcs import object_store
from shared.kit import clock
from shared.kit.context import Work, working
from shared.kit.db import transaction
from shared.kit.errors import DependencyDown
from shared.kit.ids import new_id
from shared.licensing.models import LicenseStatus, LicenseType
from shared.media import making
from shared.media.kinds import MediaKind
from shared.media.models import EntityType, Media, MediaStatus
from shared.orders.manifests.content import ManifestSettings
from shared.orders.models import LineStatus, OrderStatus
from tests.api import Client
from tests.builders.media import a_license, a_media
from tests.builders.orders import A, an_agent, an_order
from tests.builders.products import a_product
from tests.builders.stores import a_buyer, a_vendor
from tests.events import audited
from tests.media import media_now, users_of
from tests.orders import everything_about
from tests.papers import pages_of, text_of
from tests.storage import MEDIA_BUCKET

pytestmark = pytest.mark.usefixtures("object_storage")

# Still the day before in Oklahoma.
LATE = datetime(2026, 3, 3, 5, tzinfo=UTC)
S = OrderStatus


def a_licensed_order(status=S.ACCEPTED, **more):
    """An order both of whose stores have a license in force."""
    order = an_order(status, **more)
    a_license(order.vendor, number=f"GAAA-{order.order_number}")
    a_license(order.buyer, type=LicenseType.DISPENSARY, number=f"DAAA-{order.order_number}")
    return order


def generate(api, order, **sent):
    return api.as_member(order.vendor, Role.STAFF).post(f"/orders/{order.id}/manifest", **sent)


def override(api, order, media):
    return api.as_member(order.vendor, Role.STAFF).put(f"/orders/{order.id}/manifest", {"media_id": str(media.id)})


def an_upload(vendor, kind=MediaKind.MANIFEST, **fields):
    """A file that somebody of the vendor's uploaded."""
    return a_media(vendor, kind, uploaded_by=new_id(), **fields)


def read(told):
    answer = httpx.get(told["url"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    return answer.content


def objects_of(store):
    return [listed.key for listed in object_store().list_objects(MEDIA_BUCKET, prefix=f"{store.id}/manifest/")]


def test_it_says_who_sends_what_to_whom_and_leaves_room_for_the_pen(api, events):
    vendor = a_vendor(company_name="Red River Farms LLC", dba_name="Žižka & Söhne", phone="+14055550100")
    buyer = a_buyer(company_name="Café Señor LLC", email="orders@cafe.example", line2="Suite 5")
    lines = (
        A(qty=4, product=a_product(vendor, title="Łąka Gold", sku="LG-1"), status=LineStatus.ACCEPTED),
        A(qty=5, product=a_product(vendor, title="Late Harvest"), status=LineStatus.REJECTED),
        A(
            qty=20,
            product=a_product(vendor, title="Mojave", sku="M-1", strain=None, unit="gram"),
            status=LineStatus.FULFILLED,
        ),
    )
    order = an_order(S.PARTIALLY_ACCEPTED, vendor=vendor, buyer=buyer, lines=lines, created_at=LATE)
    a_license(vendor, number="GAAA-1111-OKLA")
    a_license(vendor, number="PAAA-2222-OKLA", type=LicenseType.PROCESSOR)
    a_license(buyer, number="DAAA-3333-OKLA", type=LicenseType.DISPENSARY)

    reply = generate(api, order)

    text = text_of(read(reply.data))
    expected = f"""Transport manifest
Order {order.order_number}, placed on March 02, 2026
From
Red River Farms LLC, trading as Žižka & Söhne
Licenses: GAAA-1111-OKLA (OK grower), PAAA-2222-OKLA
(OK processor)
{vendor.line1}
Oklahoma City, OK 73102
+14055550100
To
Café Señor LLC
License: DAAA-3333-OKLA (OK dispensary)
{buyer.line1}
Oklahoma City, OK 73102
orders@cafe.example
Transport
PackFinderz, transporter license ________________________
Driver: ______________________________  Agent license no. ____________________
Departure, date and time: __________________________________
Product
SKU
Quantity
Batch no.
1
Łąka Gold
flower, hybrid, Blue Dream
LG-1
4 x eighth
2
Mojave
flower, hybrid
M-1
20 x gram
2 lines: 4 x eighth, 20 x gram
Originating licensee: name __________________________  signature ____________________________  date and time ____________________
Driver: name __________________________  signature ____________________________  date and time ____________________
Receiving licensee: name __________________________  signature ____________________________  date and time ____________________
Inventory manifest under OAC 442:10-3-6. One copy stays with each licensee; keep it with your records.
Order {order.order_number}, page 1 of{" "}
1"""  # noqa: E501 - as it is on the paper
    assert text == expected
    assert reply.status == 200
    media = Media(id=reply.data["media_id"])
    assert (media_now(media).kind, media_now(media).status) == (MediaKind.MANIFEST, MediaStatus.UPLOADED)
    assert users_of(media) == [(EntityType.ORDER_MANIFEST, order.id)]
    assert reply.data["file_name"] == f"Manifest of order {order.order_number}.pdf"
    assert reply.data["is_generated"] is True
    assert [kind for kind, *_ in audited()] == ["order.manifest_generated"]
    (uploaded,) = events.emitted()
    stored = object_store().stat(MEDIA_BUCKET, f"{vendor.id}/manifest/{media.id}.pdf")
    assert uploaded == MediaUploaded(
        media_id=media.id, store_id=vendor.id, kind="manifest", generation=stored.generation
    )


def test_on_the_road_it_names_driver_and_departure(api, monkeypatch):
    monkeypatch.setenv("PF_TRANSPORTER_LICENSE", "TAAA-9999-OKLA")
    ManifestSettings.forget()
    order = a_licensed_order(S.IN_TRANSIT, agent=an_agent(phone="+14055550122"), created_at=LATE)

    text = text_of(read(generate(api, order).data))
    ManifestSettings.forget()

    assert "PackFinderz, transporter license TAAA-9999-OKLA" in text
    assert "Driver: Sam Ortiz  +14055550122  Agent license no." in text
    assert "Departure, date and time: March 02, 2026, 23:00 CST" in text


def test_many_lines_take_several_pages_and_no_more_statements(api, statements):
    small = a_licensed_order(lines=(A(qty=1),))
    large = a_licensed_order(lines=(A(qty=1),) * 60)

    costs, pages = [], []
    for order in (small, large):
        with statements() as cost:
            reply = generate(api, order)
        costs.append(cost.sql)
        pages.append(pages_of(read(reply.data)))

    assert costs == [16, 16]
    assert pages == [1, 4]


def test_asked_again_it_is_the_same_file(api, events):
    order = a_licensed_order()
    first = generate(api, order)
    before = everything_about(order)

    again = [generate(api, order) for _ in range(2)]

    assert {reply.data["media_id"] for reply in again} == {first.data["media_id"]}
    assert everything_about(order) == before
    assert events.types() == ["media_uploaded"]
    assert len(objects_of(order.vendor)) == 1


def test_the_same_order_gives_the_same_bytes_at_any_time(api, freeze):
    order = a_licensed_order()
    first = read(generate(api, order).data)
    override(api, order, an_upload(order.vendor))
    freeze(clock.now() + timedelta(days=2))

    again = generate(api, order)

    with clock.frozen_at(datetime.now(UTC)):
        assert read(api.as_member(order.buyer).get(f"/orders/{order.id}").data["manifest"]) == first
    assert again.status == 200


def test_after_a_change_it_is_another_file_and_the_former_goes(api, events):
    order = a_licensed_order()
    former = Media(id=generate(api, order).data["media_id"])
    first, _ = order.lines
    decisions = {"decisions": [{"line_item_id": str(first.id), "decision": "reject"}]}
    api.as_staff_of(order.vendor).post(f"/vendor/orders/{order.id}/line-items/decision", decisions)

    reply = generate(api, order)

    assert reply.data["media_id"] != str(former.id)
    assert first.title not in text_of(read(reply.data))
    assert (users_of(former), media_now(former).status) == ([], MediaStatus.DELETE_REQUESTED)
    assert events.emitted(MediaDeleted) == [MediaDeleted(media_id=former.id, store_id=order.vendor.id, kind="manifest")]


def test_the_vendors_own_paper_takes_its_place_and_stays_when_it_is_replaced(api, events):
    order = a_licensed_order(S.READY_FOR_DISPATCH)
    ours = Media(id=generate(api, order).data["media_id"])
    signed, scanned = (an_upload(order.vendor) for _ in range(2))

    replies = [override(api, order, media) for media in (signed, signed, scanned)]

    assert [(reply.status, reply.data["media_id"]) for reply in replies] == [
        (200, str(media.id)) for media in (signed, signed, scanned)
    ]
    assert {reply.data["is_generated"] for reply in replies} == {False}
    assert media_now(ours).status is MediaStatus.DELETE_REQUESTED
    assert (users_of(signed), media_now(signed).status) == ([], MediaStatus.UPLOADED)
    assert users_of(scanned) == [(EntityType.ORDER_MANIFEST, order.id)]
    assert [action for action, *_ in audited()] == ["order.manifest_generated", *["order.manifest_overridden"] * 2]
    assert events.types() == ["media_uploaded", "media_deleted"]


@pytest.mark.parametrize(
    ("made", "status", "code"),
    [
        (lambda vendor: an_upload(vendor, MediaKind.COA), 400, "VALIDATION_ERROR"),
        (lambda vendor: an_upload(vendor, status=MediaStatus.PENDING), 422, "STATE_CONFLICT"),
        (lambda vendor: an_upload(vendor, status=MediaStatus.FAILED), 422, "STATE_CONFLICT"),
        (lambda vendor: an_upload(a_vendor()), 404, "NOT_FOUND"),
        (lambda vendor: Media(id=new_id()), 404, "NOT_FOUND"),
    ],
    ids=["another kind", "not uploaded", "failed", "another store's", "unknown"],
)
def test_what_is_no_manifest_of_the_vendors_is_refused(api, events, made, status, code):
    order = a_licensed_order()
    before = everything_about(order)

    reply = override(api, order, made(order.vendor))

    assert (reply.status, reply.error.code) == (status, code)
    assert everything_about(order) == before
    assert events.types() == []


# In which status which of the two is possible: goods that may travel, and papers that come back.
TABLE = """
    created_pending    | -        | -
    accepted           | generate | override
    partially_accepted | generate | override
    rejected           | -        | -
    ready_for_dispatch | generate | override
    hold               | -        | -
    in_transit         | generate | override
    delivered          | -        | override
    closed             | -        | override
    canceled           | -        | -
    expired            | -        | -
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines(), ids=lambda row: row.split("|")[0].strip())
def test_in_which_status_there_is_a_manifest(api, events, row):
    status, *possible = (cell.strip() for cell in row.split("|"))
    order = a_licensed_order(S(status))
    before = everything_about(order)

    refused = []
    for action, ask in (
        ("generate", generate),
        ("override", lambda *of: override(*of, an_upload(order.vendor))),
    ):
        if action not in possible:
            reply = ask(api, order)
            refused.append((reply.status, reply.error.code, reply.error.details))
    assert refused == [
        (422, "STATE_CONFLICT", {"from": status, "action": f"{action}_manifest", "allowed": []})
        for action in ("generate", "override")
        if action not in possible
    ]
    assert everything_about(order) == before
    assert (events.types(), objects_of(order.vendor)) == ([], [])
    if "generate" in possible:
        assert generate(api, order).status == 200
    if "override" in possible:
        assert override(api, order, an_upload(order.vendor)).status == 200


@pytest.mark.parametrize("side", ["vendor", "buyer"])
@pytest.mark.parametrize("lost", [{"status": LicenseStatus.PENDING}, {"expires_in_days": -1}], ids=["pending", "over"])
def test_nothing_travels_without_a_license_of_both_sides(api, events, side, lost):
    order = an_order(S.ACCEPTED)
    for name in ("vendor", "buyer"):
        a_license(getattr(order, name), **(lost if name == side else {}))

    reply = generate(api, order)

    assert (reply.status, reply.error.code) == (422, "STATE_CONFLICT")
    assert reply.error.details == {"reason": "no_license_in_force", "side": side}
    assert (events.types(), objects_of(order.vendor)) == ([], [])


def test_a_license_is_good_through_its_last_day(api):
    order = an_order(S.ACCEPTED)
    a_license(order.vendor, expires_in_days=0)
    a_license(order.buyer)

    assert generate(api, order).status == 200


def test_who_sees_the_order_reads_its_manifest(api):
    from functions.agent.main import main as agents
    from functions.payouts.main import main as admins

    order = a_licensed_order(S.READY_FOR_DISPATCH, agent=an_agent())
    made = generate(api, order)
    content = read(made.data)

    seen = [
        api.as_member(order.buyer, Role.VIEWER).get(f"/orders/{order.id}"),
        api.as_member(order.vendor, Role.VIEWER).get(f"/orders/{order.id}"),
        Client.of(agents).as_agent(order.agent).get(f"/api/v1/agent/orders/{order.id}"),
        Client.of(admins).as_admin().get(f"/api/v1/admin/orders/{order.id}"),
    ]

    for reply in seen:
        told = reply.data["manifest"]
        assert (told["media_id"], told["size_bytes"]) == (made.data["media_id"], len(content))
        assert httpx.get(told["url"]).content == content


def test_an_answer_to_a_change_names_the_manifest_without_an_address(api):
    order = a_licensed_order()
    made = generate(api, order)

    told = api.as_staff_of(order.vendor).post(f"/vendor/orders/{order.id}/fulfill", {}).data["manifest"]

    assert told == made.data | {"url": None, "url_expires_at": None}


def test_an_order_without_one_says_so(api):
    order = an_order(S.ACCEPTED)

    assert api.as_member(order.buyer).get(f"/orders/{order.id}").data["manifest"] is None


def test_a_manifest_in_use_cannot_be_deleted(api):
    from functions.media.main import main as media

    order = a_licensed_order()
    media_id = generate(api, order).data["media_id"]

    reply = Client.of(media).as_member(order.vendor).delete(f"/api/v1/media/{media_id}")

    assert (reply.status, reply.error.reason) == (409, "media_in_use")


def test_the_storage_down_leaves_nothing_and_the_same_key_tries_again(api, events, monkeypatch):
    order = a_licensed_order()
    before = everything_about(order)

    def down(*_, **__):
        raise DependencyDown

    with monkeypatch.context() as patched:
        patched.setattr(type(object_store()), "upload", down)
        failed = generate(api, order, key="once")
    assert (failed.status, failed.error.code) == (503, "DEPENDENCY_ERROR")
    assert (everything_about(order), events.types()) == (before, [])

    assert generate(api, order, key="once").status == 200


def after_each_upload(monkeypatch, *changes):
    """Let the order change after each of the next uploads of a manifest."""
    whole, waiting = making.store, list(changes)

    def meanwhile(*arguments):
        made = whole(*arguments)
        if waiting:
            waiting.pop(0)()
        return made

    monkeypatch.setattr(making, "store", meanwhile)


def test_an_order_that_is_canceled_meanwhile_gets_no_manifest_and_no_file_is_left(api, events, monkeypatch):
    order = a_licensed_order()
    after_each_upload(monkeypatch, lambda: api.as_staff_of(order.buyer).post(f"/orders/{order.id}/cancel", {}))

    reply = generate(api, order)

    assert (reply.status, reply.error.code, reply.error.details["from"]) == (422, "STATE_CONFLICT", "canceled")
    assert objects_of(order.vendor) == []
    assert events.types() == ["order_canceled"]


def renaming(store):
    """A change of what stands on the paper, another one each time."""
    numbers = itertools.count(1)

    def change():
        with working(Work(function="stores", request_id="request-1")), transaction() as session:
            session.execute(update(Store).where(Store.id == store.id).values(dba_name=f"Farm {next(numbers)}"))

    return change


def test_what_changes_meanwhile_stands_on_the_paper(api, events, monkeypatch):
    order = a_licensed_order()
    change = renaming(order.vendor)
    after_each_upload(monkeypatch, change, change)

    reply = generate(api, order)

    assert reply.status == 200
    assert "trading as Farm 2" in text_of(read(reply.data))
    assert objects_of(order.vendor) == [f"{order.vendor.id}/manifest/{reply.data['media_id']}.pdf"]
    assert events.types() == ["media_uploaded"]


def test_an_order_that_does_not_come_to_rest_gets_no_manifest_and_no_file_is_left(api, events, monkeypatch):
    order = a_licensed_order()
    change = renaming(order.vendor)
    after_each_upload(monkeypatch, change, change, change)

    reply = generate(api, order)

    assert (reply.status, reply.error.code, reply.error.reason) == (409, "CONFLICT", "order_changed")
    assert objects_of(order.vendor) == []
    assert events.types() == []


def test_of_two_at_once_one_is_kept_and_both_are_told_of_it(api, events, monkeypatch):
    order = a_licensed_order()
    whole, rivals = making.store, []

    def meanwhile(*arguments):
        made = whole(*arguments)
        if not rivals:
            rivals.append(None)
            rivals[0] = generate(api, order)
        return made

    monkeypatch.setattr(making, "store", meanwhile)

    reply = generate(api, order)

    assert (reply.status, reply.data["media_id"]) == (200, rivals[0].data["media_id"])
    assert objects_of(order.vendor) == [f"{order.vendor.id}/manifest/{reply.data['media_id']}.pdf"]
    assert events.types() == ["media_uploaded"]


@pytest.mark.usefixtures("committed_database")
def test_the_storage_is_called_while_no_connection_is_held(api, monkeypatch):
    from shared.kit import db

    order = a_licensed_order()
    held, whole = [], type(object_store()).upload

    def watched(*arguments, **more):
        held.append(db.engine().pool.checkedout())
        return whole(*arguments, **more)

    monkeypatch.setattr(type(object_store()), "upload", watched)

    assert generate(api, order).status == 200
    assert held == [0]
