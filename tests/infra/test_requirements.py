from pathlib import Path

import pytest
from packaging.requirements import Requirement

from infra.requirements import Pin, RequirementError, closure, declared_in, locked, pinned, provider_of


def test_the_lock_is_read_with_hashes_as_it_holds_in_the_cloud(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "colorama==0.4 ; sys_platform == 'win32' \\\n    --hash=sha256:aa\n    # via click\n"
        "Flask_OpenAPI3==4.3.2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n    # via\n    #   packfinderz\n"
        "wrapt==1.0 ; python_full_version < '3.12' \\\n    --hash=sha256:dd\n"
        "wrapt==2.0 ; python_full_version >= '3.12' \\\n    --hash=sha256:ee\n"
    )

    assert locked(lock) == {
        "flask-openapi3": Pin("4.3.2", "Flask_OpenAPI3==4.3.2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc"),
        "wrapt": Pin("1.0", "wrapt==1.0 ; python_full_version < '3.12' \\\n    --hash=sha256:dd"),
    }


def test_declared_names_are_read_without_remarks(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("# direct ones\nflask\n\npydantic[email]  # addresses\n")

    assert [str(requirement) for requirement in declared_in(file)] == ["flask", "pydantic[email]"]


def test_a_closure_follows_needs_and_asked_extras_only() -> None:
    plain = closure([Requirement("pydantic")]).keys()
    with_email = closure([Requirement("pydantic[email]")]).keys()

    assert plain == {"pydantic", "pydantic-core", "annotated-types", "typing-extensions", "typing-inspection"}
    assert with_email - plain == {"email-validator", "dnspython", "idna"}


def test_what_is_not_installed_is_named() -> None:
    with pytest.raises(RequirementError, match=r"^no-such-thing is not installed"):
        closure([Requirement("no-such-thing")])


def test_an_installed_version_other_than_the_locked_one_is_refused() -> None:
    with pytest.raises(RequirementError, match=r"^jar 2 is installed, 1 is locked; run `make setup`\.$"):
        pinned({"jar": "2"}, {"jar": Pin("1", "jar==1")})


@pytest.mark.parametrize(
    ("imported", "provider"),
    [
        ("google.cloud.storage.Client", "google-cloud-storage"),
        ("google.cloud.pubsub_v1", "google-cloud-pubsub"),
        ("google.auth.transport.requests", "google-auth"),
        ("google.protobuf.timestamp_pb2", "protobuf"),
        ("jwt", "pyjwt"),
        ("grpc", "grpcio"),
        ("pydantic_core.to_json", "pydantic-core"),
        ("google", None),
        ("google.cloud", None),
        ("nothing_of_the_kind", None),
    ],
)
def test_an_import_is_traced_to_its_distribution(imported: str, provider: str | None) -> None:
    assert provider_of(imported) == provider
