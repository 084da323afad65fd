"""Addresses for whoever types one: suggestions, and the one that was chosen, with its position.

Serves /api/v1/address. Needs no sign-in, because registering comes first.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.identity.addresses import AddressResponse
from shared.identity.callers import anyone
from shared.integrations.maps import PlaceNotFound, PlaceNotUsable
from shared.kit.http import Api
from shared.kit.limits import Limit, per_caller
from shared.kit.schemas import PRINTABLE, Query, Request, Response
from shared.places import lookup

LOOKUPS = Limit("address", "30/minute", per_caller)

api = Api("address", prefix="/api/v1/address")

SessionToken = Annotated[
    str,
    StringConstraints(pattern="^[A-Za-z0-9_-]{16,64}$"),
    Field(description="A random one, such as a version 4 UUID, for what is typed until a suggestion is resolved"),
]


class SuggestQuery(Query):
    """`q` is what was typed so far."""

    q: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200, pattern=PRINTABLE)]
    session_token: SessionToken


class SuggestionResponse(Response):
    """An address that may be meant, in one line (`text`) and in two."""

    place_id: str
    text: str
    main_text: str
    secondary_text: str


class ResolveRequest(Request):
    place_id: Annotated[str, StringConstraints(pattern="^[!-~]{1,512}$")]
    session_token: SessionToken

    example = {"place_id": "ChIJUyRvLgVVsocR2zKJ5Q", "session_token": "7b0c5a34-3c9c-4f5b-9c1e-2f8f6a1d7e55"}


@api.get("/suggest", allow=anyone(), limit=LOOKUPS)
def suggest(query: SuggestQuery) -> list[SuggestionResponse]:
    """Addresses in the United States that begin like what was typed."""
    found = lookup.suggest(query.q, session_token=query.session_token)
    return [SuggestionResponse.model_validate(one) for one in found]


@api.post("/resolve", allow=anyone(), idempotent=None, limit=LOOKUPS, raises=(PlaceNotFound, PlaceNotUsable))
def resolve(body: ResolveRequest) -> AddressResponse:
    """The address behind a suggestion, with its position; it ends the session of its token."""
    return AddressResponse.model_validate(lookup.resolve(body.place_id, session_token=body.session_token))


main = api.entry_point(database=None)
