"""One effect for any number of sends: the first request with a key works, the others get its answer.

Redis makes it fast and is never the only guard: effects on money and orders are also single by a
constraint or a state check in the database. Scripts keep each step to one round trip.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from uuid import uuid4

from shared.kit import auth
from shared.kit.errors import IdempotencyInProgress, IdempotencyKeyRequired, IdempotencyKeyReused
from shared.kit.redis import round_trip

MINUTES_10 = 600
DAY_1 = 24 * 3600
DAYS_7 = 7 * DAY_1
LEASE_MS = 30_000

# Reads the session and, if it is there, takes the lock or finds what is stored under it.
_BEGIN = """
local session = false
if KEYS[1] ~= '' then
  session = redis.call('GET', KEYS[1])
  if not session then return {false, false} end
end
local held = redis.call('GET', KEYS[2])
if held then return {session, held} end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return {session, false}
"""
# Replaces or drops the lock, unless its lease ran out and another request holds it by now.
_END = """
local held = redis.call('GET', KEYS[1])
if held and cjson.decode(held)['owner'] ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
return 1
"""


@dataclass(frozen=True)
class Stored:
    """A finished answer, kept to be sent again byte for byte."""

    status: int
    content_type: str
    body: str


@dataclass(frozen=True)
class Attempt:
    """One request's hold on its key. `fingerprints` tell whether a repeat asks for the same.

    They are made with our signing keys, one for each that is accepted, since a body may hold a password.
    """

    key: str
    fingerprints: tuple[str, ...]
    owner: str
    keep_s: int

    @classmethod
    def of(cls, scope: tuple[str, ...], offered: str | None, request: bytes, *, keep_s: int) -> "Attempt":
        """The attempt for a key within a scope. Raises IdempotencyKeyRequired for a missing or odd key."""
        if not offered or len(offered) > 255 or not all(" " <= letter <= "~" for letter in offered):
            raise IdempotencyKeyRequired
        name = hashlib.sha256("\x00".join((*scope, offered)).encode()).hexdigest()
        keys = auth.signer().keys.values()
        fingerprints = tuple(hmac.digest(key.encode(), request, "sha256").hex() for key in keys)
        return cls(f"pf:idempotency:{name}", fingerprints, uuid4().hex, keep_s)

    def begin(self, session_key: str | None) -> tuple[str | None, Stored | None]:
        """The stored session (none when it is gone) and the stored answer, if this was done before.

        Takes the lock when neither stands in the way. Raises IdempotencyInProgress, IdempotencyKeyReused.
        """
        lock = json.dumps({"owner": self.owner, "request": self.fingerprints[0]})
        with round_trip() as redis:
            session, held = redis.eval(_BEGIN, 2, session_key or "", self.key, lock, LEASE_MS)
        return session, self._answer_in(held) if held else None

    def _answer_in(self, held: str) -> Stored:
        record = json.loads(held)
        if record["request"] not in self.fingerprints:
            raise IdempotencyKeyReused
        if "status" not in record:
            raise IdempotencyInProgress(retry_after_s=1)
        return Stored(record["status"], record["content_type"], record["body"])

    def finish(self, answer: Stored) -> None:
        """Keep the answer, so that repeats get it."""
        record = {
            "owner": self.owner,
            "request": self.fingerprints[0],
            "status": answer.status,
            "content_type": answer.content_type,
            "body": answer.body,
        }
        self._end(json.dumps(record))

    def release(self) -> None:
        """Let the key go without an answer, so that the caller may try again."""
        self._end("")

    def _end(self, record: str) -> None:
        with round_trip() as redis:
            redis.eval(_END, 1, self.key, self.owner, record, self.keep_s)
