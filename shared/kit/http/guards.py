"""Who may call a route. A guard turns a session into a caller, or refuses."""

from typing import Any, Protocol

from shared.kit.auth import Session


class Guard(Protocol):
    """The rule on a route."""

    @property
    def needs_session(self) -> bool:
        """False means that strangers may call."""
        ...

    @property
    def label(self) -> str:
        """The rule in words, for the documentation and the permission table."""
        ...

    def admit(self, session: Session | None, *, writes: bool) -> Any:
        """The caller, handed to the route's function first; None hands it nothing. Raises Forbidden."""
        ...
