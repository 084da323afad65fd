"""A throwaway service account for signing URLs on this machine: `python -m infra.local.storage.credentials [FILE]`.

The file has the shape of a downloaded key, so GOOGLE_APPLICATION_CREDENTIALS may name it. No Google
account stands behind it: it opens nothing but the local storage, which knows its public key.
"""

import json
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.paths import LOCAL
from infra.local.processes import locked

KEY_FILE = LOCAL / "service-account.json"
_EMAIL = "signer@packfinderz-local.iam.gserviceaccount.com"
_KEY_BITS = 2_048


def ensure_key_file(file: Path = KEY_FILE) -> Path:
    """The key file, made the first time; readable by its owner alone."""
    with locked(file.with_name(f"{file.name}.lock")):
        if not file.exists():
            draft = file.with_name(f"{file.name}.draft")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(_service_account(), indent=2))
            draft.replace(file)
    return file


def signer_of(file: Path) -> tuple[str, rsa.RSAPublicKey]:
    """Whose key the file holds, and the public half of it."""
    told = json.loads(file.read_text())
    private_key = serialization.load_pem_private_key(told["private_key"].encode(), password=None)
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise TypeError(f"{file} does not hold an RSA key")
    return told["client_email"], private_key.public_key()


def _service_account() -> dict[str, str]:
    private_key = rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)
    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "packfinderz-local",
        "private_key_id": os.urandom(20).hex(),
        "private_key": pem.decode(),
        "client_email": _EMAIL,
        "client_id": "1",
        # Nobody exchanges this key for a token; were it tried, it would not leave the machine.
        "token_uri": "http://127.0.0.1:9/token",
    }


if __name__ == "__main__":
    print(ensure_key_file(Path(sys.argv[1]) if len(sys.argv) > 1 else KEY_FILE))
