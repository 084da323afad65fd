"""Secrets kept encrypted: read by their owner alone, under any key that is accepted."""

import pytest

from shared.identity import sealing
from shared.kit.config import SettingMissing
from shared.kit.ids import new_id

ROSA = new_id()
OLD = "old:the-secret-that-sealed-until-yesterday-001"
NEW = "new:the-secret-that-seals-from-today-on-000002"


@pytest.fixture
def keys(monkeypatch):
    """Set the keys."""

    def use(*pairs: str) -> None:
        monkeypatch.setenv("PF_MFA_KEYS", ",".join(pairs))
        sealing.SealingSettings.forget()

    yield use
    monkeypatch.undo()
    sealing.SealingSettings.forget()


@pytest.mark.parametrize("kid", ["2026-07", "2026.07"])
def test_a_key_may_be_named_as_one_likes(keys, kid):
    keys(f"{kid}:the-secret-that-sealed-until-yesterday-001")

    sealed = sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA)

    assert sealing.unseal(sealed, owner_id=ROSA) == "JBSWY3DPEHPK3PXP"
    assert not sealing.is_outdated(sealed)


def test_what_was_sealed_is_read_again():
    sealed = sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA)

    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert sealing.unseal(sealed, owner_id=ROSA) == "JBSWY3DPEHPK3PXP"


def test_the_same_text_never_looks_the_same():
    assert sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA) != sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA)


def test_nobody_else_can_read_it():
    sealed = sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA)

    with pytest.raises(sealing.CannotUnseal):
        sealing.unseal(sealed, owner_id=new_id())


@pytest.mark.parametrize("spoil", [lambda text: text[:-4] + "AAAA", lambda _: "", lambda text: text.partition(".")[0]])
def test_what_was_altered_is_not_read(spoil):
    sealed = sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA)

    with pytest.raises(sealing.CannotUnseal):
        sealing.unseal(spoil(sealed), owner_id=ROSA)


def test_an_old_key_still_reads_and_the_new_one_seals(keys):
    keys(OLD)
    sealed = sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA)
    assert not sealing.is_outdated(sealed)

    keys(NEW, OLD)

    assert sealing.unseal(sealed, owner_id=ROSA) == "JBSWY3DPEHPK3PXP"
    assert sealing.is_outdated(sealed)
    assert sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA).startswith("new.")


def test_a_key_that_is_gone_reads_no_more(keys):
    keys(OLD)
    sealed = sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA)
    keys(NEW)

    with pytest.raises(sealing.CannotUnseal):
        sealing.unseal(sealed, owner_id=ROSA)


def test_another_secret_under_the_same_name_reads_nothing(keys):
    keys("old:the-secret-that-sealed-until-yesterday-001")
    sealed = sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA)
    keys("old:a-secret-that-someone-else-thought-of-0001")

    with pytest.raises(sealing.CannotUnseal):
        sealing.unseal(sealed, owner_id=ROSA)


@pytest.mark.parametrize("setting", ["short:secret", "no pair at all"])
def test_a_weak_key_stops_the_function_at_its_start(keys, setting):
    keys(setting)

    with pytest.raises(SettingMissing, match="PF_MFA_KEYS"):
        sealing.seal("JBSWY3DPEHPK3PXP", owner_id=ROSA)
