"""The bytes go and then the row; what stops half way is taken up by the next delivery."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.integrations import gcs
from shared.integrations.gcs import GoogleObjectStore
from shared.kit import redis
from shared.kit.db import read_only, transaction
from shared.kit.errors import DependencyDown
from shared.kit.outbox import emit
from shared.media.models import EntityType, Media, MediaStatus
from tests.builders.media import a_media, attached
from tests.builders.products import a_product
from tests.events import audited
from tests.functions.on_media_deleted.conftest import asked_to_go, last_delivery, objects_of, with_renditions
from tests.media import media_now, users_of


class Killed(BaseException):
    """The instance ends here, without a word."""


class Tripwire:
    """Ends the instance at the n-th step of its work: before or after anything is stored or removed."""

    def __init__(self, monkeypatch, at):
        self.left = at
        self.monkeypatch = monkeypatch

    def around(self, owner, name):
        real = getattr(owner, name)

        def stepping(*args, **kwargs):
            self.step()
            answer = real(*args, **kwargs)
            self.step()
            return answer

        self.monkeypatch.setattr(owner, name, stepping)

    def step(self):
        if self.left == 0:
            self.left -= 1
            raise Killed
        self.left -= 1


def asked_again(media):
    """The event once more, under another id, as the clean-up sends it."""
    with transaction() as session:
        emit(session, media.deletion())
    return last_delivery()


def rows():
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(Media))


def test_original_and_renditions_and_row_are_gone(consumer):
    media, other = with_renditions(a_media()), with_renditions(a_media())

    acknowledged = consumer.deliver(asked_to_go(media))

    assert acknowledged
    assert (objects_of(media), len(objects_of(other))) == ([], 3)
    assert (rows(), media_now(other).status) == (1, MediaStatus.UPLOADED)
    assert [(action, target) for action, target, _ in audited()] == [("media.deleted", media.id)]


def test_objects_that_are_not_there_count_as_removed(consumer):
    media = a_media(status=MediaStatus.PENDING)

    assert consumer.deliver(asked_to_go(media))
    assert rows() == 0


def test_a_repeat_changes_nothing(consumer):
    media = with_renditions(a_media())
    delivery = asked_to_go(media)

    answers = [consumer.deliver(delivery), consumer.deliver(delivery)]
    redis.client().flushdb()
    answers.append(consumer.deliver(delivery))

    assert answers == [True, True, True]
    assert [action for action, _, _ in audited()] == ["media.deleted"]


def test_a_file_that_need_not_go_stays(consumer):
    media = with_renditions(a_media())
    delivery = asked_to_go(media)
    with transaction() as session:
        session.get_one(Media, media.id).refuse_deletion()

    assert consumer.deliver(delivery)
    assert (media_now(media).status, len(objects_of(media))) == (MediaStatus.UPLOADED, 3)
    assert audited() == []


def test_while_the_storage_is_down_the_deletion_fails_and_is_resumed(consumer, monkeypatch):
    media = with_renditions(a_media())
    product = a_product()
    attached(media, EntityType.PRODUCT_GALLERY, product.id)
    delivery = asked_to_go(media)
    gcs.forget()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(gcs, "_RETRIES_S", 0.1)

    refused = [consumer.deliver(delivery), consumer.deliver(delivery)]
    failed = media_now(media)
    gcs.forget()
    monkeypatch.undo()
    done = consumer.deliver(delivery)

    assert (refused, done) == ([False, False], True)
    assert (failed.status, failed.failure_reason) == (
        MediaStatus.DELETE_FAILED,
        "The file storage does not answer; try again shortly.",
    )
    assert (rows(), objects_of(media), users_of(media)) == (0, [], [])
    assert [action for action, _, _ in audited()] == [
        "media.detached",
        "media.deletion_failed",
        "media.deletion_failed",
        "media.deleted",
    ]


def test_a_failure_in_the_middle_keeps_the_original_for_last(consumer, monkeypatch):
    media = with_renditions(a_media())
    real = GoogleObjectStore.delete
    monkeypatch.setattr(
        GoogleObjectStore,
        "delete",
        lambda self, bucket, key, **more: _down() if key == media.object_key else real(self, bucket, key, **more),
    )

    refused = consumer.deliver(asked_to_go(media))

    assert not refused
    assert objects_of(media) == [media.object_key]
    assert media_now(media).status is MediaStatus.DELETE_FAILED


def _down():
    raise DependencyDown


# Commits: the detaching and the row. Storage: two listings, three removals. Each has a before and an after.
STEPS = 2 * (2 + 2 + 3)


@pytest.mark.parametrize("at", range(STEPS))
def test_killed_at_any_step_it_ends_deleted(consumer, monkeypatch, at):
    media = with_renditions(a_media())
    product = a_product()
    attached(media, EntityType.PRODUCT_GALLERY, product.id)
    delivery = asked_to_go(media)
    with monkeypatch.context() as patched:
        wire = Tripwire(patched, at)
        wire.around(Session, "commit")
        wire.around(GoogleObjectStore, "list_objects")
        wire.around(GoogleObjectStore, "delete")
        with pytest.raises(Killed):
            consumer.deliver(delivery)

    # A killed instance leaves its lease behind until it ends.
    redis.client().flushdb()
    again = consumer.deliver(delivery)

    assert again
    assert (rows(), objects_of(media), users_of(media)) == (0, [], [])
    assert [action for action, _, _ in audited()] == ["media.detached", "media.deleted"]


def test_the_steps_are_all_of_them(consumer, monkeypatch):
    media = with_renditions(a_media())
    attached(media, EntityType.PRODUCT_GALLERY, a_product().id)
    delivery = asked_to_go(media)
    wire = Tripwire(monkeypatch, STEPS)
    wire.around(Session, "commit")
    wire.around(GoogleObjectStore, "list_objects")
    wire.around(GoogleObjectStore, "delete")

    assert consumer.deliver(delivery)
    assert wire.left == 0


def test_what_must_be_kept_after_all_waits_for_a_person_when_parts_may_be_gone(consumer, monkeypatch):
    media = with_renditions(a_media(kind="license_doc"))
    delivery = asked_to_go(media)
    with monkeypatch.context() as patched:
        patched.setattr(GoogleObjectStore, "delete", lambda *_, **__: _down())
        consumer.deliver(delivery)
    keeper = attached(media, EntityType.LICENSE)
    redis.client().flushdb()

    answer = consumer.deliver(asked_again(media))

    assert not answer
    assert (media_now(media).status, users_of(media)) == (MediaStatus.DELETE_FAILED, [("license", keeper)])
    assert len(objects_of(media)) == 3
