"""The emulators and stand-ins of the stack, as processes beside each other."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from infra.local import console
from infra.local.children import Child, ReadyFile
from infra.local.environment import MAILS, MEDIA_BUCKET, PROJECT, PUBLIC_MEDIA_BUCKET, Endpoints
from infra.local.paths import LOCAL
from infra.local.stack import LOGS
from infra.manifest import Manifest

SQUARE_WEBHOOK = "/api/v1/webhooks/square"


@dataclass(frozen=True)
class Emulators:
    """Processes that were started and may not be ready yet, and where each says so."""

    children: tuple[Child, ...]
    ready: dict[str, ReadyFile]

    def wait(self) -> Endpoints:
        """Where they listen, once all do. Raises ServerFailed."""
        for child in self.children:
            child.wait_until(self.ready[child.name].is_there)
            console.done(f"{child.name} listens")
        pubsub, storage = self.ready["Pub/Sub"].fields(), self.ready["Cloud Storage"].fields()
        return Endpoints(
            pubsub_host=f"127.0.0.1:{pubsub['port']}",
            pubsub_control_url=f"http://127.0.0.1:{pubsub['control_port']}",
            storage_url=storage["url"],
            storage_key_file=storage["key_file"],
            square_url=self.ready["Square"].text(),
            maps_url=self.ready["Google Maps"].text(),
            mailbox_url=self.ready["Mailbox"].text(),
        )


def start(running: ExitStack, manifests: list[Manifest], url: str, kept: dict[str, str]) -> Emulators:
    """Start all of them. Storage and Square tell the functions at `url` what happens."""
    ready = {name: ReadyFile(LOCAL / "ready" / _file_name(name)) for name in _ARGUMENTS}
    children = []
    for name, (module, arguments) in _ARGUMENTS.items():
        told = ("--port", "0", "--ready-file", str(ready[name].path), *arguments(manifests, url, kept))
        child = Child(name, module, *told, log=LOGS / f"{ready[name].path.name}.log")
        running.callback(child.stop)
        children.append(child)
    return Emulators(tuple(children), ready)


def _file_name(name: str) -> str:
    return name.lower().replace(" ", "-").replace("/", "")


def _pubsub(_: list[Manifest], __: str, ___: dict[str, str]) -> list[str]:
    # Few at once: all functions share this machine with the person who waits for them.
    return ["--control-port", "0", "--max-outstanding", "4"]


def _storage(manifests: list[Manifest], url: str, _: dict[str, str]) -> list[str]:
    heard = [
        f"--finalize={PROJECT}-{manifest.trigger.bucket}={url}/_functions/{manifest.name}"
        for manifest in manifests
        if manifest.trigger.kind == "storage"
    ]
    return ["--data", str(LOCAL / "storage"), f"--bucket={MEDIA_BUCKET}", f"--public={PUBLIC_MEDIA_BUCKET}", *heard]


def _square(manifests: list[Manifest], url: str, kept: dict[str, str]) -> list[str]:
    told = ["--state", str(LOCAL / "square.json"), f"--token={kept['PF_SQUARE_ACCESS_TOKEN']}"]
    if any(SQUARE_WEBHOOK in manifest.routes for manifest in manifests):
        told += [f"--webhook-url={url}{SQUARE_WEBHOOK}", f"--signature-key={kept['PF_SQUARE_SIGNATURE_KEY']}"]
    return told


def _maps(_: list[Manifest], __: str, kept: dict[str, str]) -> list[str]:
    return [f"--key={kept['PF_MAPS_API_KEY']}"]


def _mailbox(_: list[Manifest], __: str, kept: dict[str, str]) -> list[str]:
    # Joined, because a secret may begin with a dash and would be taken for an option.
    return ["--folder", str(MAILS), f"--key={kept['PF_SENDGRID_API_KEY']}"]


_Arguments = Callable[[list[Manifest], str, dict[str, str]], list[str]]
_ARGUMENTS: dict[str, tuple[str, _Arguments]] = {
    "Pub/Sub": ("infra.local.pubsub", _pubsub),
    "Cloud Storage": ("infra.local.storage", _storage),
    "Square": ("infra.local.square", _square),
    "Google Maps": ("infra.local.maps", _maps),
    "Mailbox": ("infra.local.mailbox", _mailbox),
}
