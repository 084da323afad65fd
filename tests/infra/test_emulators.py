"""How the emulators are started."""

from infra.local.emulators import _ARGUMENTS
from infra.manifest import load_all

SECRETS = {
    "PF_SQUARE_ACCESS_TOKEN": "-a-secret-that-begins-with-a-dash-1",
    "PF_SQUARE_SIGNATURE_KEY": "-a-secret-that-begins-with-a-dash-2",
    "PF_SENDGRID_API_KEY": "-a-secret-that-begins-with-a-dash-3",
    "PF_MAPS_API_KEY": "-a-secret-that-begins-with-a-dash-4",
}


def test_a_secret_that_begins_with_a_dash_is_never_taken_for_an_option():
    told = [
        argument
        for _, arguments in _ARGUMENTS.values()
        for argument in arguments(load_all(), "http://127.0.0.1:8080", SECRETS)
    ]

    assert [argument for argument in told if argument in SECRETS.values()] == []
    assert f"--key={SECRETS['PF_SENDGRID_API_KEY']}" in told
    assert f"--token={SECRETS['PF_SQUARE_ACCESS_TOKEN']}" in told
