"""Pictures of products, drawn: a backdrop in the category's colours, leaves, and the maker's name."""

from io import BytesIO
from math import cos, pi, sin
from random import Random

from PIL import Image, ImageDraw, ImageFont

from shared.catalog.models import Category

SIZE = 480
_TITLE, _MAKER = ImageFont.load_default(size=36), ImageFont.load_default(size=21)
_COLORS: dict[Category, tuple[str, str]] = {
    Category.FLOWER: ("#1f4d2b", "#8fbf6a"),
    Category.PRE_ROLL: ("#4a3b24", "#c9a66b"),
    Category.SEED: ("#5b4a2f", "#d8c08a"),
    Category.SEEDLING: ("#2c5e3f", "#b5dd8e"),
    Category.CART: ("#2b2d42", "#8d99ae"),
    Category.VAPE: ("#231942", "#9f86c0"),
    Category.CONCENTRATE: ("#6b3e08", "#f2b441"),
    Category.EDIBLE: ("#6d1a36", "#f28ca0"),
    Category.BEVERAGE: ("#0b4f6c", "#7fd1e8"),
    Category.TOPICAL: ("#31572c", "#d3e3c0"),
    Category.TINCTURE: ("#3d2c1e", "#cf8e4f"),
    Category.ACCESSORY: ("#2f2f2f", "#b8b8b8"),
}


def picture(category: Category, maker: str, rng: Random) -> bytes:
    """A PNG, square."""
    dark, light = _COLORS[category]
    image = Image.linear_gradient("L").resize((SIZE, SIZE))
    colored = Image.composite(Image.new("RGB", image.size, dark), Image.new("RGB", image.size, light), image)
    draw = ImageDraw.Draw(colored)
    for _ in range(3):
        _leaf(draw, rng.randint(80, SIZE - 80), rng.randint(80, 310), rng.randint(45, 90), dark)
    _caption(draw, category.value.replace("_", " ").title(), maker, light)
    file = BytesIO()
    colored.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _leaf(draw: ImageDraw.ImageDraw, x: int, y: int, length: int, color: str) -> None:
    """Seven fingers around a stem."""
    for finger in range(7):
        angle = -pi / 2 + (finger - 3) * pi / 7
        reach = length * (1 - abs(finger - 3) * 0.16)
        tip = (x + reach * cos(angle), y + reach * sin(angle))
        side = (reach * 0.13 * cos(angle + pi / 2), reach * 0.13 * sin(angle + pi / 2))
        middle = ((x + tip[0]) / 2, (y + tip[1]) / 2)
        left = (middle[0] + side[0], middle[1] + side[1])
        right = (middle[0] - side[0], middle[1] - side[1])
        draw.polygon([(x, y), left, tip, right], fill=color)


def _caption(draw: ImageDraw.ImageDraw, title: str, maker: str, color: str) -> None:
    draw.rectangle((0, SIZE - 100, SIZE, SIZE), fill="#101010")
    draw.text((24, SIZE - 90), title, font=_TITLE, fill=color)
    draw.text((25, SIZE - 42), maker, font=_MAKER, fill="#e8e8e8")
