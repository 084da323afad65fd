"""What strains are made into: the form's name, how it is sold, and what it usually costs a dispensary."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.local.seed.names import Trade
from shared.catalog.models import Category, Unit


@dataclass(frozen=True)
class Form:
    """One way in which a product comes. Prices in cents, potency in percent (of flower, when there is none)."""

    name: str
    subtitle: str
    category: Category
    unit: Unit
    price_cents: tuple[int, int]
    moq: int
    stock_qty: tuple[int, int]
    thc: tuple[int, int] | None = None
    usage: Sequence[str] = ()


_C, _U = Category, Unit

FORMS = {
    Trade.GROWER: (
        Form("Indoor Eighths", "Hand-trimmed, sealed jars", _C.FLOWER, _U.EIGHTH, (900, 2_200), 16, (60, 900)),
        Form("Greenhouse Ounces", "Light-assisted, bulk bags", _C.FLOWER, _U.OUNCE, (4_500, 12_500), 4, (10, 160)),
        Form("Sun-Grown Pounds", "Cured for three weeks", _C.FLOWER, _U.POUND, (52_000, 145_000), 1, (2, 40)),
        Form("Smalls", "By the gram, for rolling", _C.FLOWER, _U.GRAM, (180, 420), 112, (500, 9_000)),
        Form("Pre-Rolls 1 g", "Single, in a tube", _C.PRE_ROLL, _U.UNIT, (180, 420), 50, (200, 3_000)),
        Form("Pre-Roll 5-Pack", "Five half grams in a tin", _C.PRE_ROLL, _U.UNIT, (700, 1_500), 20, (60, 700)),
        Form("Clones", "Rooted, ready for a gallon pot", _C.SEEDLING, _U.UNIT, (600, 1_500), 12, (24, 300), (0, 0)),
        Form("Feminized Seeds", "Five per pack", _C.SEED, _U.UNIT, (1_800, 4_800), 5, (20, 250), (0, 0)),
    ),
    Trade.PROCESSOR: (
        Form("Vape Cart 1 g", "510 thread, live terpenes", _C.CART, _U.UNIT, (900, 2_100), 20, (80, 1_200), (74, 91)),
        Form("Disposable 2 g", "Rechargeable", _C.VAPE, _U.UNIT, (1_400, 2_900), 10, (50, 600), (76, 90)),
        Form("Live Rosin", "Solventless, cold cured", _C.CONCENTRATE, _U.GRAM, (1_500, 3_400), 10, (40, 500), (66, 79)),
        Form("Shatter", "Hydrocarbon extract", _C.CONCENTRATE, _U.GRAM, (500, 1_200), 28, (80, 1_500), (70, 86)),
        Form(
            "Gummies 10-Pack",
            "Vegan, fast-acting",
            _C.EDIBLE,
            _U.UNIT,
            (450, 1_100),
            24,
            (100, 2_000),
            (0, 1),
            usage=("sleep", "stress_relief"),
        ),
        Form(
            "Chocolate Bar 100 mg",
            "Dark, ten pieces",
            _C.EDIBLE,
            _U.UNIT,
            (600, 1_300),
            20,
            (60, 900),
            (0, 1),
            usage=("appetite_stimulation", "stress_relief"),
        ),
        Form(
            "Seltzer 10 mg",
            "Lightly sparkling, 12 oz",
            _C.BEVERAGE,
            _U.UNIT,
            (250, 500),
            24,
            (120, 2_400),
            (0, 1),
            usage=("stress_relief",),
        ),
        Form(
            "Relief Balm",
            "With menthol and arnica",
            _C.TOPICAL,
            _U.UNIT,
            (900, 2_200),
            6,
            (30, 300),
            (1, 3),
            usage=("pain_relief", "muscle_relaxant"),
        ),
        Form(
            "Tincture 30 ml",
            "In MCT oil",
            _C.TINCTURE,
            _U.UNIT,
            (1_100, 2_800),
            6,
            (30, 400),
            (2, 6),
            usage=("pain_relief", "anxiety", "nausea"),
        ),
        Form("Grinder", "Four parts, aluminium", _C.ACCESSORY, _U.UNIT, (600, 1_900), 10, (40, 200), (0, 0)),
    ),
}
