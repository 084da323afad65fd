"""Everybody who might call, and every token that is none."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import uuid4

import jwt

from shared.identity.callers import facts_of
from shared.identity.permissions import Role, StoreType, SystemRole
from shared.kit import auth
from shared.kit.ids import new_id
from shared.kit.tokens import Signer
from tests.security.specification import ROLES, Rule


@dataclass(frozen=True)
class Caller:
    """Someone who exists only in a session: nothing they are let in to can find or change anything."""

    name: str
    facts: dict[str, Any]
    may: Callable[[Rule], bool]

    @cached_property
    def sid(self) -> str:
        return uuid4().hex

    def signed_in(self) -> str:
        """The access token, with the session behind it as new."""
        auth.store_session(self.sid, self.facts)
        return auth.signer().sign(self.claims, ttl_s=auth.ACCESS_TTL_S)

    @property
    def claims(self) -> dict[str, Any]:
        told = {"sub": self.facts["user_id"], "sid": self.sid, "gen": 0, "active_store_id": self.facts["store_id"]}
        return {name: value for name, value in told.items() if value is not None}


def _open(rule: Rule) -> bool:
    return rule.kind in ("anyone", "user", "user*")


def _member(store_type: str, role: str, **facts: Any) -> Caller:
    return Caller(
        f"{store_type} {role}",
        facts_of(user_id=new_id(), store_id=new_id(), store_type=StoreType(store_type), role=Role(role), **facts),
        lambda rule: rule.admits(store_type, role),
    )


def everybody() -> list[Caller]:
    """Each role of each kind of store, each system role, and people in a state that stops them.

    What stops them is the flags' as well: second factors and verified emails must be asked for.
    """
    members = [_member(store_type, role) for store_type in ("buyer", "vendor") for role in ROLES]
    system = [
        Caller(
            role,
            facts_of(user_id=new_id(), system_role=SystemRole(role)),
            lambda rule, role=role: _open(rule) or rule.kind == role,
        )
        for role in ("admin", "agent")
    ]
    storeless = Caller("without a store", facts_of(user_id=new_id()), _open)
    return [*members, *system, storeless, *_stopped()]


def _stopped() -> list[Caller]:
    suspended = [_member(store_type, "owner", read_only=True) for store_type in ("buyer", "vendor")]
    temporary = [_member(store_type, "owner", must_change_password=True) for store_type in ("buyer", "vendor")]
    unproved = _member("vendor", "owner", lacks_mfa=True)
    unverified = [_member(store_type, "owner", lacks_verified_email=True) for store_type in ("buyer", "vendor")]
    admins = [
        Caller(f"admin {state}", facts_of(user_id=new_id(), system_role=SystemRole.ADMIN, **{state: True}), may)
        for state, may in (("must_change_password", _even_temporary), ("lacks_mfa", _open))
    ]
    return [
        *(
            _in_state(
                caller, "suspended", lambda rule, may=caller.may: may(rule) and (_open(rule) or rule.method == "GET")
            )
            for caller in suspended
        ),
        *(_in_state(caller, "with a temporary password", _even_temporary) for caller in temporary),
        _in_state(unproved, "without a second factor", _open),
        *(
            _in_state(
                caller,
                "with an unverified email",
                lambda rule, may=caller.may: may(rule) and not rule.needs_verified_email,
            )
            for caller in unverified
        ),
        *admins,
    ]


def _in_state(caller: Caller, state: str, may: Callable[[Rule], bool]) -> Caller:
    return replace(caller, name=f"{caller.name} {state}", may=may)


def _even_temporary(rule: Rule) -> bool:
    return rule.kind in ("anyone", "user*")


def no_tokens(caller: Caller) -> dict[str, str | None]:
    """Tokens for somebody with every right that prove nothing."""
    signer = auth.signer()
    kid, secret = next(iter(signer.keys.items()))
    good = caller.signed_in()
    body = jwt.decode(good, options={"verify_signature": False})
    moved_on = caller.claims | {"gen": 1}
    gone = caller.claims | {"sid": uuid4().hex}
    somebody_else = caller.claims | {"sub": str(new_id())}
    return {
        "no token": None,
        "malformed": "not.a.token",
        "expired": signer.sign(caller.claims, ttl_s=-1),
        "revoked session": signer.sign(gone, ttl_s=60),
        "of another time": signer.sign(moved_on, ttl_s=60),
        "of another person": signer.sign(somebody_else, ttl_s=60),
        "foreign key": Signer({kid: "a-secret-that-is-not-ours-000000000001"}, signer.issuer, signer.audience).sign(
            caller.claims, ttl_s=60
        ),
        "unknown key id": Signer({"other": secret}, signer.issuer, signer.audience).sign(caller.claims, ttl_s=60),
        "wrong audience": Signer(signer.keys, signer.issuer, "another-api").sign(caller.claims, ttl_s=60),
        "wrong issuer": Signer(signer.keys, "another-issuer", signer.audience).sign(caller.claims, ttl_s=60),
        "alg none": jwt.encode(body, None, algorithm="none", headers={"kid": kid}),
        "alg HS512": jwt.encode(body, secret.ljust(64, "0"), algorithm="HS512", headers={"kid": kid}),
    }
