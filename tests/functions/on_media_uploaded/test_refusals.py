"""What cannot be opened fails with a reason that its owner understands, and keeps its original."""

import hashlib
import io
import zlib

import pikepdf
import pytest

from shared.media.models import MediaStatus
from shared.media.rendering import child, run
from shared.media.rendering.outcome import Unfit
from tests.functions.on_media_uploaded import files
from tests.functions.on_media_uploaded.conftest import confirmed, renditions_of, uploaded
from tests.media import media_now, stored
from tests.samples import sample

DAMAGED = "The picture is damaged."
NO_VIDEO = "The video is damaged, encrypted, larger than 4K, or of a kind that cannot be read."
LOCKED = "The PDF is encrypted; save it without a password."
PICTURE = files.encoded(files.picture(600, 400), "PNG")


def gif_claiming(width, height):
    """A GIF of two small frames on a screen of this size."""
    return b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + files.moving_gif(2)[10:]


@pytest.mark.parametrize(
    ("make", "mime_type", "kind", "reason"),
    [
        (
            lambda: files.png_claiming(50_000, 50_000),
            "image/png",
            "product",
            "The picture has 2,500,000,000 pixels; at most 40,000,000 are allowed.",
        ),
        (
            lambda: gif_claiming(65_535, 65_535),
            "image/gif",
            "product",
            "The picture has 4,294,836,225 pixels; at most 40,000,000 are allowed.",
        ),
        (
            lambda: files.moving_gif(2, 4_400, 2_500),
            "image/gif",
            "product",
            "The picture has 11,000,000 pixels; at most 9,437,184 are allowed.",
        ),
        (lambda: files.moving_gif(2, 4_000, 1), "image/gif", "ads", NO_VIDEO.replace("video", "animation")),
        (lambda: files.film(size="4400x2500", seconds=0.1, sound=False), "video/mp4", "ads", NO_VIDEO),
        (lambda: files.png_claiming(640, 480), "image/png", "product", DAMAGED),
        (files.png_cut_short, "image/png", "product", DAMAGED),
        (lambda: PICTURE[: len(PICTURE) // 2], "image/png", "store", DAMAGED),
        (lambda: files.photo(800, 600)[:3_000], "image/jpeg", "user", DAMAGED),
        (lambda: files.moving_gif()[:40], "image/gif", "ads", DAMAGED),
        (lambda: b"\x89PNG\r\n\x1a\n" + bytes(400), "image/png", "product", DAMAGED),
        (lambda: files.photo(), "image/png", "product", DAMAGED),
        (lambda: sample("video/mp4"), "video/mp4", "product", NO_VIDEO),
        (lambda: files.film()[:2_000], "video/mp4", "product", NO_VIDEO),
        (lambda: sample("video/webm"), "video/webm", "ads", NO_VIDEO),
        (lambda: files.locked_paper(), "application/pdf", "coa", LOCKED),
        (lambda: files.locked_paper(user=""), "application/pdf", "license_doc", LOCKED),
        (lambda: b"%PDF-1.7\n" + bytes(500), "application/pdf", "pdf", "The PDF is damaged."),
        (files.paper_of_odd_names, "application/pdf", "coa", "The PDF is damaged."),
        (lambda: files.paper(pages=0), "application/pdf", "pdf", "The PDF has no pages."),
    ],
)
def test_it_fails_and_says_why(process, events, make, mime_type, kind, reason):
    content = make()
    media = uploaded(content, mime_type, kind)

    acknowledged = process(media)

    now = media_now(media)
    assert acknowledged
    assert (now.status, now.failure_reason) == (MediaStatus.FAILED, reason)
    assert (now.failed_at is not None, now.public_url, now.thumbnail_url) == (True, None, None)
    assert renditions_of(media) == {}
    assert stored(media).size_bytes == len(content)
    assert events.types() == ["media_uploaded"]


@pytest.mark.parametrize("mime_type", ["video/mp4", "video/webm"])
def test_a_playlist_does_not_show_what_lies_beside_it(tmp_path, mime_type):
    """Which FFmpeg would do with this one if it chose by the content how to read it."""
    source, made = tmp_path / "source", tmp_path / "made"
    source.write_text("ffconcat version 1.0\nfile neighbour.mp4\n")
    (tmp_path / "neighbour.mp4").write_bytes(files.film())
    made.mkdir()

    with pytest.raises(Unfit, match="kind that cannot be read"):
        run.render(source, made, mime_type)


@pytest.mark.parametrize(("announced_of", "status"), [(PICTURE, MediaStatus.READY), (b"other", MediaStatus.FAILED)])
def test_the_bytes_are_those_whose_hash_was_announced(process, announced_of, status):
    media = uploaded(PICTURE, "image/png", sha256=hashlib.sha256(announced_of).hexdigest())

    process(media)

    reason = None if status is MediaStatus.READY else "Its SHA-256 is not the one that was announced."
    assert (media_now(media).status, media_now(media).failure_reason) == (status, reason)
    assert stored(media).size_bytes == len(PICTURE)


def test_a_document_that_inflates_a_thousandfold_stays_small(process):
    """128 MB of nothing in a PDF of 128 KB: what comes of it is small again."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        page.Contents = pdf.make_stream(b"")
        inflated = zlib.compress(bytes(128 << 20), 9)
        page.Contents.write(inflated, filter=pikepdf.Name.FlateDecode)
        file = io.BytesIO()
        pdf.save(file)
    media = uploaded(file.getvalue(), "application/pdf", "pdf")

    acknowledged = process(media)

    assert acknowledged
    assert media_now(media).status is MediaStatus.READY
    assert sum(map(len, renditions_of(media).values())) < 500_000


def test_a_better_file_under_the_same_key_is_processed(process):
    media = uploaded(PICTURE[:500], "image/png")
    process(media)
    failed = media_now(media)

    again = confirmed(media, PICTURE)
    process(again)

    now = media_now(media)
    assert (failed.status, now.status, now.failure_reason) == (MediaStatus.FAILED, MediaStatus.READY, None)
    assert f"/{again.generation}/" in now.public_url


def test_who_renders_knows_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("PF_JWT_KEYS", "a-secret")

    assert set(run._environment()) == {"PATH", "PYTHONPATH"}
    assert child.__name__ == "shared.media.rendering.child"
