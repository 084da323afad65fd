"""Strains and what is commonly said of them."""

from dataclasses import dataclass

from shared.catalog.models import Classification


@dataclass(frozen=True)
class Strain:
    """A strain; `thc` is the usual range of its flower, in percent."""

    name: str
    classification: Classification
    thc: tuple[int, int]
    flavors: tuple[str, ...]
    feelings: tuple[str, ...]


_S, _H, _I = Classification.SATIVA, Classification.HYBRID, Classification.INDICA
_CBD, _BALANCED = Classification.CBD, Classification.BALANCED

STRAINS = (
    Strain("Blue Dream", _H, (17, 24), ("sweet", "fruity"), ("happy", "relaxed", "creative")),
    Strain("Sour Diesel", _S, (19, 25), ("diesel", "citrus"), ("focused", "uplifted")),
    Strain("OG Kush", _H, (19, 26), ("earthy", "pine"), ("relaxed", "euphoric")),
    Strain("Girl Scout Cookies", _H, (19, 28), ("sweet", "earthy"), ("happy", "hungry")),
    Strain("Granddaddy Purple", _I, (17, 23), ("fruity", "sweet"), ("sleepy", "relaxed")),
    Strain("Jack Herer", _S, (18, 24), ("pine", "spicy"), ("creative", "focused")),
    Strain("Northern Lights", _I, (16, 21), ("sweet", "spicy"), ("sleepy", "calm")),
    Strain("Gelato", _H, (20, 26), ("sweet", "citrus"), ("euphoric", "happy")),
    Strain("Wedding Cake", _I, (22, 27), ("sweet", "earthy"), ("relaxed", "euphoric")),
    Strain("Gorilla Glue", _H, (23, 29), ("earthy", "diesel"), ("relaxed", "sleepy")),
    Strain("Green Crack", _S, (16, 22), ("citrus", "earthy"), ("focused", "uplifted")),
    Strain("Zkittlez", _I, (18, 23), ("fruity", "sweet"), ("calm", "happy")),
    Strain("Runtz", _H, (22, 29), ("sweet", "fruity"), ("euphoric", "uplifted")),
    Strain("Purple Punch", _I, (18, 23), ("fruity", "sweet"), ("sleepy", "relaxed")),
    Strain("Pineapple Express", _H, (17, 24), ("fruity", "pine"), ("happy", "talkative")),
    Strain("Durban Poison", _S, (17, 23), ("sweet", "pine"), ("focused", "creative")),
    Strain("White Widow", _H, (17, 24), ("earthy", "pine"), ("euphoric", "talkative")),
    Strain("Strawberry Cough", _S, (16, 21), ("fruity", "sweet"), ("uplifted", "talkative")),
    Strain("Bubba Kush", _I, (15, 22), ("earthy", "sweet"), ("sleepy", "hungry")),
    Strain("Do-Si-Dos", _I, (20, 28), ("floral", "earthy"), ("relaxed", "calm")),
    Strain("Lemon Haze", _S, (17, 23), ("citrus", "sweet"), ("uplifted", "happy")),
    Strain("Cherry Pie", _H, (16, 23), ("fruity", "earthy"), ("happy", "relaxed")),
    Strain("Chemdawg", _H, (18, 25), ("diesel", "spicy"), ("creative", "euphoric")),
    Strain("Forbidden Fruit", _I, (18, 25), ("fruity", "pine"), ("relaxed", "calm")),
    Strain("Maui Wowie", _S, (14, 20), ("fruity", "citrus"), ("happy", "uplifted")),
    Strain("Mimosa", _S, (19, 25), ("citrus", "fruity"), ("focused", "happy")),
    Strain("Ice Cream Cake", _I, (20, 26), ("sweet", "cheese"), ("sleepy", "hungry")),
    Strain("Tahoe OG", _I, (19, 25), ("earthy", "citrus"), ("sleepy", "relaxed")),
    Strain("Trainwreck", _S, (18, 24), ("pine", "spicy"), ("euphoric", "talkative")),
    Strain("Bruce Banner", _H, (22, 29), ("diesel", "sweet"), ("creative", "uplifted")),
    Strain("Slurricane", _I, (20, 27), ("fruity", "floral"), ("relaxed", "calm")),
    Strain("UK Cheese", _H, (16, 21), ("cheese", "earthy"), ("happy", "hungry")),
    Strain("Tropicana Cookies", _S, (20, 27), ("citrus", "sweet"), ("uplifted", "focused")),
    Strain("Harlequin", _CBD, (4, 8), ("earthy", "herbal"), ("calm", "focused")),
    Strain("ACDC", _CBD, (1, 6), ("herbal", "pine"), ("calm", "relaxed")),
    Strain("Cannatonic", _BALANCED, (6, 11), ("citrus", "earthy"), ("calm", "happy")),
)
