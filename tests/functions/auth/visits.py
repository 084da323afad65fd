"""What must be true of tokens, written from the specification; it knows nothing of how sessions are kept."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

GRACE = timedelta(seconds=10)
ACCESS_LIFE = timedelta(minutes=15)
REFRESH_LIFE = timedelta(days=30)


@dataclass
class Access:
    """An access token, and what it must be good for."""

    token: str
    expires_at: datetime
    is_dead: bool = False


@dataclass
class Visit:
    """One session: where it acts, as what, and with which refresh tokens, the present one last."""

    store: str | None
    role: str | None
    refreshes: list[str]
    rotated_at: datetime
    may_only_read: bool = False
    has_temporary_password: bool = False
    is_over: bool = False
    accesses: list[Access] = field(default_factory=list)

    def works(self, access: Access, now: datetime) -> bool:
        return not (self.is_over or access.is_dead) and now < access.expires_at

    def may_go_on(self, age: int, now: datetime) -> bool:
        """Whether a refresh token that was followed by `age` others still gets a pair of tokens."""
        since = now - self.rotated_at
        return not self.is_over and since < REFRESH_LIFE and (age == 0 or (age == 1 and since <= GRACE))

    def keep(self, access: str, refresh: str, now: datetime) -> None:
        """Take what an answer brought: an access token beside those there are, and a refresh token if it is new."""
        issued_at = now.replace(microsecond=0)  # a JWT tells time in whole seconds (RFC 7519, NumericDate)
        self.accesses.append(Access(access, issued_at + ACCESS_LIFE))
        if refresh not in self.refreshes:
            self.refreshes.append(refresh)
            self.rotated_at = now

    def outdate(self) -> None:
        """Every access token so far is good for nothing."""
        for access in self.accesses:
            access.is_dead = True
