"""What the demo is made of: its PDF, and the way it tells that something is wrong."""

import re

import pytest

from infra.local.demo import expectations, pdf
from infra.local.demo.expectations import Unexpected, eventually, expect


def test_the_pdf_is_one_in_which_every_offset_leads_to_its_object():
    file = pdf.one_page("License (OK) \\ 42", "second line")

    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", file)[1])
    entries = re.findall(rb"^(\d{10}) 00000 n $", file[start:], re.MULTILINE)
    length, content = re.search(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", file, re.DOTALL).groups()

    assert (file[:9], file[start : start + 9]) == (b"%PDF-1.4\n", b"xref\n0 6\n")
    assert [file[int(place) :].split(b"\n")[0] for place in entries] == [b"%d 0 obj" % n for n in range(1, 6)]
    assert int(length) == len(content)
    assert rb"(License \(OK\) \\ 42) Tj T*" in content


def test_what_is_not_as_it_should_be_is_told_with_both():
    expect(7, 7, "the number")

    with pytest.raises(Unexpected) as told:
        expect([1], [1, 2], "the list")

    assert str(told.value) == "the list\n      is        [1]\n      should be [1, 2]"


def test_what_an_event_brings_about_is_waited_for_but_not_forever(monkeypatch, capsys):
    monkeypatch.setattr(expectations, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(expectations, "_LOOK_EVERY_S", 0.001)
    seen = iter(["pending", "pending", "uploaded"])

    eventually(lambda: next(seen), "uploaded", "The file arrives")

    assert capsys.readouterr().out.startswith("  ✓ The file arrives  ")
    with pytest.raises(Unexpected, match="after waiting 0 s"):
        eventually(lambda: "pending", "uploaded", "The file arrives")
