"""A store submits a license, and takes back one that is good for nothing."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from shared.events.licenses import LicenseSubmitted
from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.db import violated_constraint
from shared.kit.errors import Conflict, InvalidRequest
from shared.kit.ids import new_id
from shared.kit.outbox import emit
from shared.licensing import kyc, queries
from shared.licensing.models import REMOVABLE, License, LicenseCannotMove, LicenseType
from shared.media import attachments, deletion
from shared.media.models import EntityType
from shared.operations.audit import audit

_UNIQUE_NUMBER = "uq_licenses_issuing_state_number"


class LicenseNumberTaken(Conflict):
    default_message = "This license number of this state is already on file."


@dataclass(frozen=True)
class Submission:
    """A license as its holder tells it."""

    type: LicenseType
    number: str
    issuing_state: str
    issued_on: date
    expires_on: date
    media_id: UUID


def submit(session: Session, store_id: UUID, told: Submission) -> License:
    """A new pending license: row, attachment, KYC mirror, audit and event in the caller's transaction.

    Raises InvalidRequest for dates that make no sense or a document of another kind, MediaNotFound,
    MediaNotAttachable, LicenseNumberTaken.
    """
    _refuse_odd_dates(told)
    license = License(
        id=new_id(),
        store_id=store_id,
        type=told.type,
        number=told.number,
        issuing_state=told.issuing_state,
        issued_on=told.issued_on,
        expires_on=told.expires_on,
        media_id=told.media_id,
    )
    attachments.reconcile(session, store_id, EntityType.LICENSE, license.id, [told.media_id])
    _add(session, license)
    kyc.mirror(session, [store_id])
    audit(session, "license.submitted", "license", license.id, after=license.shown())
    emit(session, LicenseSubmitted(license_id=license.id, store_id=store_id))
    return license


def remove(session: Session, store_id: UUID, license_id: UUID) -> None:
    """Delete an expired or rejected license; its document goes when nothing else uses it.

    Raises LicenseNotFound, LicenseCannotMove.
    """
    license = queries.lock_license(session, license_id, store_id=store_id)
    if license.status not in REMOVABLE:
        raise LicenseCannotMove(details={"reason": f"license_{license.status}"})
    media_id = license.media_id
    audit(session, "license.deleted", "license", license.id, before=license.shown())
    session.delete(license)
    attachments.reconcile(session, store_id, EntityType.LICENSE, license_id, [])
    deletion.request_if_unused(session, store_id, media_id)
    kyc.mirror(session, [store_id])


def _refuse_odd_dates(told: Submission) -> None:
    if told.issued_on > told.expires_on:
        raise InvalidRequest.field("expires_on", "A license does not expire before it is issued.")
    if told.expires_on <= clock.today(CommonSettings.current().time_zone):
        raise InvalidRequest.field("expires_on", "This license has expired.")


def _add(session: Session, license: License) -> None:
    session.add(license)
    try:
        session.flush()
    except DBAPIError as error:
        if violated_constraint(error) == _UNIQUE_NUMBER:
            raise LicenseNumberTaken(details={"reason": "license_number_taken"}) from error
        raise
