"""What signing in answers."""

from typing import Self

from shared.identity.schemas import MyStoreResponse, UserResponse
from shared.identity.signing_in import Entry
from shared.kit.http import Reply
from shared.kit.schemas import Response


class SignedInResponse(Response):
    """Who is signed in, where they belong, and for which store they act; the tokens are in the headers."""

    user: UserResponse
    stores: list[MyStoreResponse]
    active_store: MyStoreResponse | None

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The person of an entry and their stores, the active one first, then the most recently used."""
        stores = sorted(entry.account.memberships, key=lambda held: held is not entry.active)
        return cls(
            user=UserResponse.model_validate(entry.account.user),
            stores=[MyStoreResponse.of(held) for held in stores],
            active_store=MyStoreResponse.of(entry.active) if entry.active else None,
        )


def with_tokens(entry: Entry) -> Reply[SignedInResponse]:
    """The answer that lets someone in."""
    return Reply(SignedInResponse.of(entry), headers=entry.tokens.headers)
