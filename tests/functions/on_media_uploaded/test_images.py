"""Pictures come out upright, small enough, as WebP, and tell nothing of where they were taken."""

import httpx
import pytest
from PIL import Image, ImageCms

from shared.events.media import MediaProcessed, MediaUploaded
from shared.kit import clock
from shared.media.models import MediaStatus
from tests.functions.on_media_uploaded import files
from tests.functions.on_media_uploaded.conftest import opened, renditions_of, uploaded
from tests.media import media_now, stored

RED, BLUE = (255, 0, 0), (0, 0, 255)


def near(colour, expected, tolerance=60):
    return all(abs(one - other) <= tolerance for one, other in zip(colour[:3], expected, strict=True))


def rendered(process, content, mime_type, kind="product"):
    """(main, thumbnail) as pictures."""
    media = uploaded(content, mime_type, kind)
    assert process(media)
    made = renditions_of(media)
    where = f"public:{media.generation}"
    assert media_now(media).status is MediaStatus.READY, media_now(media).failure_reason
    assert sorted(made) == [f"{where}/image.webp", f"{where}/thumbnail.webp"]
    return opened(made[f"{where}/image.webp"]), opened(made[f"{where}/thumbnail.webp"])


@pytest.mark.parametrize(
    ("format_name", "mime_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
def test_every_type_becomes_webp_within_its_boxes(process, format_name, mime_type):
    main, thumbnail = rendered(process, files.encoded(files.picture(3000, 2000), format_name), mime_type)

    assert (main.format, main.size) == ("WEBP", (1620, 1080))
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (480, 320))
    assert near(main.getpixel((800, 100)), RED)
    assert near(main.getpixel((800, 1000)), BLUE)


def test_a_small_picture_is_not_made_larger(process):
    main, thumbnail = rendered(process, files.encoded(files.picture(64, 48), "PNG"), "image/png")

    assert (main.size, thumbnail.size) == ((64, 48), (64, 48))


# EXIF: what must be done to see it upright; where red, which was stored above, is then.
@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [
        (1, (90, 60), (45, 5)),
        (2, (90, 60), (45, 5)),
        (3, (90, 60), (45, 55)),
        (4, (90, 60), (45, 55)),
        (5, (60, 90), (5, 45)),
        (6, (60, 90), (55, 45)),
        (7, (60, 90), (55, 45)),
        (8, (60, 90), (5, 45)),
    ],
)
def test_photos_are_turned_upright(process, orientation, size, red_at):
    main, _ = rendered(process, files.photo(90, 60, orientation), "image/jpeg")

    assert main.size == size
    assert near(main.getpixel(red_at), RED)


def test_a_tall_photo_fits_the_box_as_it_is_seen(process):
    main, thumbnail = rendered(process, files.photo(4000, 3000, orientation=6), "image/jpeg")

    assert (main.size, thumbnail.size) == ((810, 1080), (360, 480))


def test_nothing_of_the_metadata_is_left(process):
    content = files.photo(400, 300)
    assert opened(content).getexif().get_ifd(files.GPS)[2] == (35.0, 28.0, 8.0)

    for made in rendered(process, content, "image/jpeg"):
        assert dict(made.getexif()) == {}
        assert {"exif", "xmp", "icc_profile", "comment"} & set(made.info) == set()


def test_text_in_a_png_is_left_behind(process):
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_text("Comment", "taken at home")
    media = uploaded(files.encoded(files.picture(), "PNG", pnginfo=told), "image/png")

    process(media)

    assert b"taken at home" not in b"".join(renditions_of(media).values())


def test_colours_are_those_that_the_profile_means(process):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    main, _ = rendered(process, files.encoded(files.picture(), "JPEG", icc_profile=lab), "image/jpeg")
    broken, _ = rendered(process, files.encoded(files.picture(), "JPEG", icc_profile=b"no profile"), "image/jpeg")

    assert [near(image.getpixel((30, 5)), RED) for image in (main, broken)] == [True, True]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
def test_every_way_to_store_colours_is_understood(process, mode):
    image = Image.new("I;16", (64, 48)) if mode == "I;16" else files.picture(mode="RGBA").convert("RGB").convert(mode)

    main, _ = rendered(process, files.encoded(image, "PNG"), "image/png")

    assert main.size == (64, 48)


def test_four_colour_prints_become_screen_colours(process):
    main, _ = rendered(process, files.encoded(files.picture().convert("CMYK"), "JPEG"), "image/jpeg")

    assert (main.mode, near(main.getpixel((30, 5)), RED)) == ("RGB", True)


def test_transparency_stays(process):
    image = files.picture(mode="RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))

    main, _ = rendered(process, files.encoded(image, "PNG"), "image/png")

    assert (main.mode, main.getpixel((5, 5))[3]) == ("RGBA", 0)


@pytest.mark.parametrize(
    ("size", "shown", "small"),
    [((2400, 1200), (1920, 960), (480, 240)), ((1, 3), (1, 3), (1, 3)), ((1201, 2400), (540, 1080), (240, 480))],
)
def test_a_moving_gif_goes_on_moving(process, size, shown, small):
    main, thumbnail = rendered(process, files.moving_gif(5, *size), "image/gif")

    assert (main.n_frames, main.size) == (5, shown)
    assert (getattr(thumbnail, "n_frames", 1), thumbnail.size) == (1, small)
    assert near(thumbnail.getpixel((0, 0)), RED)


def test_a_public_picture_is_ready_for_everybody(process, events, freeze):
    freeze(clock.now())
    media = uploaded(files.encoded(files.picture(), "PNG"), "image/png", "store")

    process(media)

    now = media_now(media)
    about = {"media_id": media.id, "store_id": media.store_id, "kind": "store", "generation": media.generation}
    assert (now.status, now.processing_at, now.ready_at) == (MediaStatus.READY, clock.now(), clock.now())
    assert now.public_url.endswith(f"/derived/{media.id}/{media.generation}/image.webp")
    seen = [httpx.get(url) for url in (now.public_url, now.thumbnail_url)]
    assert [answer.headers["content-type"] for answer in seen] == ["image/webp", "image/webp"]
    assert [opened(answer.content).size for answer in seen] == [(64, 48), (64, 48)]
    assert events.emitted() == [MediaUploaded(**about), MediaProcessed(**about)]
    assert stored(media).generation == media.generation


def test_a_private_picture_stays_private(process):
    media = uploaded(files.encoded(files.picture(), "PNG"), "image/png", "license_doc")

    process(media)

    now = media_now(media)
    assert (now.status, now.public_url, now.thumbnail_url) == (MediaStatus.READY, None, None)
    assert sorted(renditions_of(media)) == [
        f"private:{media.generation}/image.webp",
        f"private:{media.generation}/thumbnail.webp",
    ]
