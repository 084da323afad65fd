"""Nothing is kept of a store's licenses when it is erased."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from shared.identity.erasure import Traces
from shared.licensing.models import License


def _nothing_stays(_: Session, __: UUID) -> bool:
    return False


def _forget_licenses(session: Session, store_id: UUID) -> None:
    session.execute(delete(License).where(License.store_id == store_id))


TRACES = Traces(must_stay=_nothing_stays, forget=_forget_licenses)
