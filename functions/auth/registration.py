"""Register a person with their first store, or another store of a person who is known.

Serves /api/v1/auth/register. Publishes store_registered.
"""

from typing import Literal

from functions.auth.limits import MFA_CODE, REGISTER
from functions.auth.schemas import SignedInResponse, with_tokens
from shared.identity import mfa
from shared.identity.accounts import get_account
from shared.identity.addresses import Address, WrittenAddress
from shared.identity.callers import anyone
from shared.identity.credentials import Proof, refusals_audited
from shared.identity.fields import CompanyName, Email, MfaCode, Password, PersonName, Phone
from shared.identity.permissions import StoreType
from shared.identity.registration import EmailTaken, find_or_create_user, found_store, prove_or_hash
from shared.identity.signing_in import sign_in
from shared.kit.db import transaction
from shared.kit.errors import InvalidRequest
from shared.kit.http import Api, Asked, Reply
from shared.kit.idempotency import DAY_1
from shared.kit.limits import count
from shared.kit.schemas import Request
from shared.places.geocoding import AddressNotFound, locate

api = Api("auth", prefix="/api/v1/auth")


class RegisterRequest(Request):
    """An address without a position is looked up on the map.

    `mfa_code` is for a person who is known and has switched two-factor sign-in on.
    """

    first_name: PersonName
    last_name: PersonName
    email: Email
    password: Password
    phone: Phone | None = None
    company_name: CompanyName
    dba_name: CompanyName | None = None
    store_type: StoreType
    address: WrittenAddress
    accept_tos: Literal[True]
    mfa_code: MfaCode | None = None

    example = {
        "first_name": "Rosa",
        "last_name": "Diaz",
        "email": "rosa@greenmesa.example.com",
        "password": "a dozen purple cacti",
        "phone": "+14055550100",
        "company_name": "Green Mesa LLC",
        "dba_name": "Green Mesa",
        "store_type": "buyer",
        "address": Address.example,
        "accept_tos": True,
    }


@api.post(
    "/register",
    allow=anyone(),
    idempotent=DAY_1,
    status=201,
    limit=REGISTER,
    raises=(EmailTaken, InvalidRequest, AddressNotFound, mfa.MfaRefused),
)
def register(body: RegisterRequest, asked: Asked) -> Reply[SignedInResponse]:
    """Register and sign in; a known email with its password adds a store, with another it is a conflict."""
    known = prove_or_hash(body.email, body.password)
    if body.mfa_code is not None and isinstance(known, Proof):
        count((MFA_CODE,), asked)
    address = locate(body.address, field="address")
    with refusals_audited(), transaction() as session:
        owner = find_or_create_user(
            session, known, email=body.email, first_name=body.first_name, last_name=body.last_name, phone=body.phone
        )
        mfa.check(session, owner, body.mfa_code)
        store = found_store(
            session,
            owner,
            store_type=body.store_type,
            company_name=body.company_name,
            dba_name=body.dba_name,
            address=address,
        )
        account = get_account(session, owner.id)
        return with_tokens(sign_in(session, account, account.get(store.id)))
