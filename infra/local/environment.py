"""The environment in which the functions of the local stack run, secrets included."""

import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.local.paths import LOCAL
from infra.local.services import Servers

PROJECT = "packfinderz-local"
# The names that function.toml uses, as buckets of this project.
MEDIA_BUCKET = f"{PROJECT}-media"
PUBLIC_MEDIA_BUCKET = f"{PROJECT}-public-media"
# Where mail ends up, to be read in the mailbox.
MAILS = LOCAL / "mails"

# Everybody here has one and the same address, which would spend one person's limits on all.
_ONE_ADDRESS_LIMITS = {
    "PF_LIMIT_LOGIN_ADDRESS": "2000/minute",
    "PF_LIMIT_REGISTER_ADDRESS": "2000/minute",
    "PF_LIMIT_FORGOT_ADDRESS": "2000/minute",
    "PF_LIMIT_ADDRESS": "2000/minute",
}
_KEYS_WITH_ID = {"PF_JWT_KEYS", "PF_MFA_KEYS", "PF_ADS_TOKEN_KEYS"}


@dataclass(frozen=True)
class Endpoints:
    """Where the emulators and stand-ins of the stack listen."""

    pubsub_host: str
    pubsub_control_url: str
    storage_url: str
    storage_key_file: str
    square_url: str
    maps_url: str
    mailbox_url: str


def keep_secrets(file: Path, names: Iterable[str]) -> dict[str, str]:
    """A secret for each name, made once and then the same; readable by their owner alone."""
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    made = {name: _new_secret(name) for name in sorted(names) if name not in kept}
    if made:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(kept | made, indent=2) + "\n")
    return kept | made


def functions_environment(servers: Servers, endpoints: Endpoints, kept: dict[str, str]) -> dict[str, str]:
    """All that the functions are told. What is set in our own environment goes before what stands here."""
    told = {
        "PF_ENVIRONMENT": "development",
        "PF_GCP_PROJECT": PROJECT,
        "PF_DATABASE_URL": servers.database_url,
        "PF_REDIS_URL": servers.redis_url,
        # All functions share one process and its connections here; in the cloud each has its own.
        "PF_DATABASE_POOL_SIZE": "24",
        "PF_REDIS_POOL_SIZE": "96",
        "PF_MEDIA_BUCKET": MEDIA_BUCKET,
        "PF_PUBLIC_MEDIA_BUCKET": PUBLIC_MEDIA_BUCKET,
        "PF_SQUARE_BASE_URL": endpoints.square_url,
        "PF_SQUARE_LOCATION_ID": "LOCAL",
        "PF_MAPS_BASE_URL": endpoints.maps_url,
        "PF_FRONT_END_URL": "http://localhost:3000",
        "PF_EMAIL_SENDER": "mailbox",
        "PF_EMAIL_FROM": "orders@packfinderz.example.com",
        "PF_MAILBOX_FOLDER": str(MAILS),
        # For whoever chooses SendGrid: its stand-in puts the mails into the same folder.
        "PF_SENDGRID_BASE_URL": endpoints.mailbox_url,
        "PUBSUB_EMULATOR_HOST": endpoints.pubsub_host,
        "STORAGE_EMULATOR_HOST": endpoints.storage_url,
        "GOOGLE_APPLICATION_CREDENTIALS": endpoints.storage_key_file,
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        **_ONE_ADDRESS_LIMITS,
        **kept,
    }
    return {name: os.environ.get(name) or value for name, value in told.items()}


def _new_secret(name: str) -> str:
    """Names in the plural hold `kid:secret` pairs, of which the first is used and all are accepted."""
    secret = secrets.token_urlsafe(36)
    if name == "PF_MAPS_API_KEY":
        return f"AIza{secret}"  # all of Google's keys begin so, and its client looks
    return f"local-1:{secret}" if name.endswith("_KEYS") else secret
