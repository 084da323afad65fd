"""Videos come out as H.264 with a poster, documents linearised and smaller."""

import io

import pikepdf
import pytest

from shared.media.models import MediaStatus
from tests.functions.on_media_uploaded import files
from tests.functions.on_media_uploaded.conftest import opened, renditions_of, uploaded
from tests.media import media_now


@pytest.mark.parametrize(("ending", "sound"), [("mp4", True), ("webm", True), ("mp4", False)])
def test_a_video_becomes_h264_with_a_poster(process, ending, sound):
    media = uploaded(files.film(ending, sound=sound), f"video/{ending}")

    process(media)

    made = {name.rpartition("/")[2]: content for name, content in renditions_of(media).items()}
    now = media_now(media)
    seen = files.about(made["video.mp4"], "mp4")
    assert now.status is MediaStatus.READY, now.failure_reason
    assert sorted(made) == ["poster.webp", "thumbnail.webp", "video.mp4"]
    assert now.public_url.endswith("/video.mp4")
    assert now.thumbnail_url.endswith("/thumbnail.webp")
    assert "Video: h264" in seen
    assert ("Audio: aac" in seen) is sound
    assert "320x240" in seen
    assert "Duration: 00:00:02" in seen
    assert (opened(made["poster.webp"]).size, opened(made["thumbnail.webp"]).size) == ((320, 240), (320, 240))


def test_it_begins_before_it_is_loaded_and_tells_nothing_of_its_maker(process):
    media = uploaded(files.film(), "video/mp4")

    process(media)

    video = renditions_of(media)[f"public:{media.generation}/video.mp4"]
    # The index (moov) comes before the pictures (mdat).
    assert video.index(b"moov") < video.index(b"mdat")
    assert b"Where I live" not in video
    assert b"+35.46" not in video


@pytest.mark.parametrize(
    ("size", "fit"), [("2560x1440", "1920x1080"), ("1440x2560", "1080x1920"), ("321x241", "320x240")]
)
def test_frames_fit_a_screen_and_have_even_sides(process, size, fit):
    media = uploaded(files.film("webm", size, 0.25, sound=False), "video/webm")

    process(media)

    assert fit in files.about(renditions_of(media)[f"public:{media.generation}/video.mp4"], "mp4")


def test_a_document_is_linearised_and_compressed(process):
    content = files.paper()
    media = uploaded(content, "application/pdf", "coa")

    process(media)

    (made,) = renditions_of(media).items()
    name, rendition = made
    assert (media_now(media).status, media_now(media).public_url) == (MediaStatus.READY, None)
    assert name == f"private:{media.generation}/document.pdf"
    assert len(rendition) < len(content) / 5
    with pikepdf.open(io.BytesIO(rendition)) as pdf:
        assert (pdf.is_linearized, len(pdf.pages)) == (True, 3)
        assert pdf.pages[0].Contents.read_bytes().count(b"THCA 24.1") == 500


def test_a_document_that_its_program_left_unfinished_is_mended(process):
    media = uploaded(files.paper()[:-40], "application/pdf", "manifest")

    process(media)

    (rendition,) = renditions_of(media).values()
    with pikepdf.open(io.BytesIO(rendition)) as pdf:
        assert len(pdf.pages) == 3
