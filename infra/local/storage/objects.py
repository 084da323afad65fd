"""The emulator's buckets and objects, kept whole on disk, with word of every object that is finalized."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.handlers.buckets import create_bucket
from gcp_storage_emulator.settings import STORAGE_DIR
from gcp_storage_emulator.storage import Storage, _FileStore

Resource = Mapping[str, Any]
"""An object resource of the JSON API: https://cloud.google.com/storage/docs/json_api/v1/objects#resource."""


class Objects(Storage):  # type: ignore[misc]  # the emulator has no types
    """What is stored, under `data` or (without it) in memory. Every use of it holds `lock`."""

    def __init__(self, data: Path | None, finalized: Callable[[Resource], None]) -> None:
        self.lock = threading.RLock()
        self._finalized = finalized
        super().__init__(use_memory_fs=data is None, data_dir=str(data.resolve()) if data else None)
        if data is not None:
            self._store: _FileStore = _WholeFiles(use_memory=False, root=data.resolve() / STORAGE_DIR)

    def ensure_bucket(self, name: str, cors: Sequence[Mapping[str, Any]]) -> None:
        """Make the bucket if it is not there; its rules for pages of other origins are these from now on."""
        with self.lock:
            create_bucket(name, self)
            # What is deleted is gone: nobody restores on a developer's machine, and the disk would fill.
            kept: dict[str, Any] = {"cors": list(cors), "softDeletePolicy": {"retentionDurationSeconds": "0"}}
            self.create_bucket(name, self.buckets[name] | kept)

    def cors_of(self, bucket: str) -> Sequence[Any]:
        """The bucket's rules for pages of other origins; none for an unknown bucket."""
        with self.lock:
            return list(self.buckets.get(bucket, {}).get("cors", ()))

    def find_resource(self, bucket: str, name: str) -> Resource | None:
        """What is known about an object."""
        with self.lock:
            try:
                found: Resource = self.get_file_obj(bucket, name)
            except NotFound:
                return None
            return found

    def create_file(
        self, bucket_name: str, file_name: str, content: bytes, file_obj: dict[str, Any], file_id: str | None = None
    ) -> None:
        """Every way to finish an object (upload of any kind, copy, compose) ends here."""
        super().create_file(bucket_name, file_name, content, file_obj, file_id)
        self._finalized(dict(file_obj))


class _WholeFiles(_FileStore):  # type: ignore[misc]  # the emulator has no types
    """Replaces a file in one step, so that a stop in the middle of a write leaves the one before."""

    def write_bytes(self, rel: str, content: bytes) -> None:
        draft = f"{rel}.draft"
        super().write_bytes(draft, content)
        self._disk_path(draft).replace(self._disk_path(rel))
