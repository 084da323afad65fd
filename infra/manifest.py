"""Reads functions/*/function.toml: what triggers a function, what it touches, and how it runs.

The local gateway, staging, deployment, the map and several tests go by these files alone.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from infra.local.paths import CHECKOUT

FUNCTIONS = CHECKOUT / "functions"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
Sentence = Annotated[str, StringConstraints(min_length=3, strip_whitespace=True)]
Cron = Annotated[str, StringConstraints(pattern=r"^\S+( \S+){4}$")]


class ManifestError(ValueError):
    """A function.toml is missing or says something that no manifest says; one line per finding."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HttpTrigger(_Part):
    """Called by clients under the path prefixes that it owns."""

    kind: Literal["http"]
    routes: Annotated[tuple[Annotated[str, StringConstraints(pattern=r"^/\S*[^/]$")], ...], Field(min_length=1)]

    def __str__(self) -> str:
        return "HTTP"


class TopicTrigger(_Part):
    """Receives the messages of one topic, as CloudEvents."""

    kind: Literal["topic"]
    topic: str

    def __str__(self) -> str:
        return f"topic `{self.topic}`"


class StorageTrigger(_Part):
    """Told of every object finalized in a bucket (google.cloud.storage.object.v1.finalized)."""

    kind: Literal["storage"]
    bucket: str

    def __str__(self) -> str:
        return f"object finalized in `{self.bucket}`"


class ScheduleTrigger(_Part):
    """Posted to by the scheduler: a cron expression of five fields, read in `time_zone`."""

    kind: Literal["schedule"]
    schedule: Cron
    time_zone: str = "Etc/UTC"

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{name!r} is not a time zone") from None
        return name

    def __str__(self) -> str:
        return f"`{self.schedule}` ({self.time_zone})"


Trigger = Annotated[HttpTrigger | TopicTrigger | StorageTrigger | ScheduleTrigger, Field(discriminator="kind")]


class Events(_Part):
    """Event types by their names on the wire."""

    publishes: tuple[Name, ...] = ()
    consumes: tuple[Name, ...] = ()


class Data(_Part):
    """Tables written; reading is free within what the context exports."""

    writes: tuple[Name, ...] = ()


class Needs(_Part):
    """Environment variables: plain settings, and secrets that come from the secret manager; and which services it
    calls besides the database and Redis, without which it is not ready. Those that charge for every question, as
    Google Maps does, are not among them."""

    services: tuple[Literal["pubsub", "square", "storage"], ...] = ()
    settings: tuple[Variable, ...] = ()
    secrets: tuple[Variable, ...] = ()


class Run(_Part):
    """How an instance runs: sizes in MB and seconds, `concurrency` requests at once per instance."""

    memory_mb: Annotated[int, Field(ge=128, le=32_768)]
    concurrency: Annotated[int, Field(ge=1, le=1_000)]
    timeout_s: Annotated[int, Field(ge=1, le=3_600)]
    min_instances: Annotated[int, Field(ge=0)]
    max_instances: Annotated[int, Field(ge=1)]
    pool_size: Annotated[int, Field(ge=0)]
    ingress: Literal["internal-and-gclb", "internal-only"]
    service_account: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")]


class Manifest(_Part):
    """One function as its folder describes it."""

    name: Name
    summary: Sentence
    context: Name
    trigger: Trigger
    events: Events = Events()
    data: Data = Data()
    needs: Needs = Needs()
    run: Run

    @property
    def routes(self) -> tuple[str, ...]:
        """The path prefixes that it owns; none unless HTTP clients call it."""
        return self.trigger.routes if isinstance(self.trigger, HttpTrigger) else ()

    @property
    def topic(self) -> str | None:
        """The topic that it listens to."""
        return self.trigger.topic if isinstance(self.trigger, TopicTrigger) else None


def names(functions: Path = FUNCTIONS) -> list[str]:
    """The folders that hold a function, in order of name."""
    return sorted(file.parent.name for file in functions.glob("*/function.toml"))


def load(name: str, functions: Path = FUNCTIONS) -> Manifest:
    """The manifest of one function. Raises ManifestError."""
    file = functions / name / "function.toml"
    if not file.exists():
        raise ManifestError(f"There is no function {name!r}: functions/{name}/function.toml does not exist.")
    told = f"functions/{name}/function.toml"
    try:
        manifest = Manifest.model_validate(tomllib.loads(file.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{told}: not TOML: {error}") from None
    except ValidationError as error:
        raise ManifestError("\n".join(f"{told}: {finding}" for finding in _findings(error))) from None
    if manifest.name != name:
        raise ManifestError(f"{told}: name: is {manifest.name!r}, but the folder is {name!r}")
    return manifest


def load_all(functions: Path = FUNCTIONS) -> list[Manifest]:
    """Every function's manifest, in order of name. Raises ManifestError."""
    return [load(name, functions) for name in names(functions)]


def _findings(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(str(step) for step in finding['loc'])}: {_said(finding['type'], finding['msg'])}"
        for finding in error.errors(include_input=False, include_url=False)
    ]


def _said(kind: str, message: str) -> str:
    known = {"extra_forbidden": "unknown key", "missing": "missing"}
    return known.get(kind, message[0].lower() + message[1:])
