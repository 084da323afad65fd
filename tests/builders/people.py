"""People who can sign in, and how they do it."""

from typing import Any

from pydantic import SecretStr

from shared.identity import passwords
from shared.identity.models import User
from tests.builders.stores import a_user

PASSWORD = "a dozen purple cacti"


def a_person(*, password: str | None = PASSWORD, **fields: Any) -> User:
    """A person with a password."""
    kept = passwords.hash_of(SecretStr(password)) if password else None
    return a_user(password_hash=kept, **fields)


def a_registration(**fields: Any) -> dict[str, Any]:
    """The body with which Rosa registers her dispensary."""
    return {
        "first_name": "Rosa",
        "last_name": "Diaz",
        "email": "rosa@greenmesa.example.com",
        "password": PASSWORD,
        "phone": "+14055550100",
        "company_name": "Green Mesa LLC",
        "dba_name": "Green Mesa",
        "store_type": "buyer",
        "address": {
            "line1": "100 N Broadway Ave",
            "city": "Oklahoma City",
            "state": "OK",
            "postal_code": "73102",
            "lat": 35.4689,
            "lng": -97.5164,
        },
        "accept_tos": True,
        **fields,
    }
