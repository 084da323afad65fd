"""Getting in over HTTP, and what a caller then holds."""

from typing import Any

from shared.identity import one_time_tokens
from shared.identity.models import Store, TokenPurpose, User
from shared.kit.auth import signer
from shared.kit.db import transaction
from tests.api import Answer, Client
from tests.builders.people import PASSWORD


def log_in(api: Client, user: User, store: Store | None = None, **fields: Any) -> Answer:
    """Sign in with the usual password."""
    body = {"email": user.email, "password": PASSWORD, **fields}
    reply = api.post("/login", body | ({"store_id": str(store.id)} if store else {}), key=None)
    assert reply.status == 200, reply.raw
    return reply


def holding(api: Client, reply: Answer) -> Client:
    """A client with the access token of an answer."""
    return api.with_token(reply.headers["X-PF-Token"])


def refresh(api: Client, token: str | None) -> Answer:
    """Present a refresh token."""
    headers = {"X-PF-Refresh-Token": token} if token is not None else {}
    return api.anonymously().post("/refresh", key=None, **headers)


def refresh_token(reply: Answer) -> str:
    return reply.headers["X-PF-Refresh-Token"]


def claims(reply: Answer) -> dict[str, Any]:
    """What the access token of an answer says."""
    return signer().verify(reply.headers["X-PF-Token"])


def mailed(user: User, purpose: TokenPurpose = TokenPurpose.PASSWORD_RESET) -> str:
    """The token that whoever sends the mail puts into it."""
    with transaction() as session:
        return one_time_tokens.issue(session, user.id, purpose)
