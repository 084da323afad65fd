"""A local Cloud Storage: gcp-storage-emulator behind a front that verifies signatures and tells of new objects."""

from infra.local.storage.server import LocalStorage, running_storage

__all__ = ["LocalStorage", "running_storage"]
