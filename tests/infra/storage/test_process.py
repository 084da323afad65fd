"""The storage as a process: it says where it is, keeps what it has, and ends when asked."""

import io
import json
import signal
import stat
import subprocess
import sys

from infra.local.paths import CHECKOUT
from infra.local.processes import wait_until
from infra.local.storage.credentials import ensure_key_file, signer_of
from shared.integrations.gcs import GoogleObjectStore
from tests.infra.endpoint import serving
from tests.patience import PATIENCE_S


def test_it_serves_until_it_is_told_to_stop_and_tells_of_objects(tmp_path, monkeypatch):
    ready_file = tmp_path / "ready"
    with serving() as endpoint:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "infra.local.storage", "--port", "0", "--ready-file", str(ready_file)),
                *("--finalize", f"papers={endpoint.url}/told", "--public", "shop-window"),
                *("--data", str(tmp_path / "data"), "--key-file", str(tmp_path / "key.json")),
            ],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert wait_until(ready_file.exists, timeout_s=PATIENCE_S)
        ready = json.loads(ready_file.read_text())
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", ready["url"])
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", ready["key_file"])
        store = GoogleObjectStore("packfinderz-test")
        stored = store.upload("papers", "a.pdf", io.BytesIO(b"%PDF-"), content_type="application/pdf")
        (told,) = endpoint.wait_for(1)
        store.close()
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0
    assert ready == {
        "port": ready["port"],
        "url": f"http://127.0.0.1:{ready['port']}",
        "key_file": str(tmp_path / "key.json"),
        "pid": process.pid,
    }
    assert said == f"Cloud Storage at {ready['url']}, signing key in {tmp_path / 'key.json'}\n"
    assert (told.path, told.json["generation"]) == ("/told", str(stored.generation))


def test_the_key_file_is_made_once_and_is_nobody_elses_to_read(tmp_path):
    file = ensure_key_file(tmp_path / "key.json")
    email, public_key = signer_of(file)

    assert signer_of(ensure_key_file(file))[1] == public_key
    assert email == "signer@packfinderz-local.iam.gserviceaccount.com"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["type"] == "service_account"
