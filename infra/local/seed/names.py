"""What the stores and the people are called. Nobody of these names is meant."""

from dataclasses import dataclass
from enum import StrEnum


class Trade(StrEnum):
    """What a vendor makes."""

    GROWER = "grower"
    PROCESSOR = "processor"


@dataclass(frozen=True)
class VendorName:
    """A vendor's name, its trade, how far it delivers (0 for everywhere), and its prefix of SKUs."""

    name: str
    trade: Trade
    radius_meters: int
    prefix: str


VENDORS = (
    VendorName("Red Fork Farms", Trade.GROWER, 0, "RFF"),
    VendorName("Cimarron Cultivars", Trade.GROWER, 0, "CIM"),
    VendorName("Tallgrass Growers", Trade.GROWER, 180_000, "TGG"),
    VendorName("Osage Hills Gardens", Trade.GROWER, 0, "OHG"),
    VendorName("Prairie Rose Botanicals", Trade.GROWER, 150_000, "PRB"),
    VendorName("Boggy Creek Cannabis", Trade.GROWER, 0, "BCC"),
    VendorName("Wichita Ridge Farms", Trade.GROWER, 200_000, "WRF"),
    VendorName("Sooner Sun Greenhouses", Trade.GROWER, 0, "SSG"),
    VendorName("Lake Eufaula Organics", Trade.GROWER, 0, "LEO"),
    VendorName("Cross Timbers Craft", Trade.GROWER, 120_000, "CTC"),
    VendorName("Kiamichi Extracts", Trade.PROCESSOR, 0, "KEX"),
    VendorName("Arbuckle Labs", Trade.PROCESSOR, 0, "ARB"),
    VendorName("Talimena Edibles", Trade.PROCESSOR, 0, "TAL"),
    VendorName("Black Mesa Concentrates", Trade.PROCESSOR, 0, "BMC"),
    VendorName("Glass Mountain Hash Co", Trade.PROCESSOR, 250_000, "GMH"),
    VendorName("Little Sahara Vapes", Trade.PROCESSOR, 0, "LSV"),
    VendorName("Turner Falls Tinctures", Trade.PROCESSOR, 0, "TFT"),
    VendorName("Route 66 Refreshments", Trade.PROCESSOR, 0, "R66"),
    VendorName("Redbud Wellness Kitchen", Trade.PROCESSOR, 160_000, "RWK"),
    VendorName("Scissortail Solventless", Trade.PROCESSOR, 0, "SSS"),
)
NEW_VENDORS = (
    VendorName("Washita River Growers", Trade.GROWER, 0, "WRG"),
    VendorName("Quartz Mountain Brands", Trade.PROCESSOR, 0, "QMB"),
)
"""One whose license is not verified yet, and one that has not subscribed: buyers see neither."""

BUYERS = (
    *("Green Mesa Dispensary", "Bricktown Buds", "Midtown Medicinal", "Paseo Provisions", "Deep Deuce Dispensary"),
    *(
        "Blue Dome Botanica",
        "Cherry Street Cannabis",
        "Brookside Green",
        "Gathering Place Greens",
        "Arrowhead Remedies",
    ),
    *("Campus Corner Collective", "Thunderbird Therapeutics", "Medicine Park Wellness", "Fort Sill Flower"),
    *("Boomer Lake Buds", "Cherokee Strip Dispensary", "Three Forks Cannabis", "Price Tower Greens"),
    *("Pottawatomie Plants", "Marland Medicinals", "Lake Murray Leaf", "Chisholm Trail Cannabis"),
    *("Choctaw Country Remedies", "Illinois River Relief", "Texoma Therapy", "Panhandle Provisions"),
    *("Boiling Springs Botanicals", "Plaza District Plants", "Automobile Alley Apothecary", "Riverwalk Remedies"),
)

FIRST = (
    *("Rosa", "James", "Maria", "David", "Linda", "Marcus", "Elena", "Tyler", "Grace", "Daniel"),
    *("Naomi", "Victor", "Hannah", "Carlos", "Ruth", "Owen", "Priya", "Caleb", "Sofia", "Wyatt"),
)
LAST = (
    *("Diaz", "Whitehorse", "Nguyen", "Carter", "Lopez", "Bearden", "Harjo", "Mitchell", "Okafor", "Sullivan"),
    *("Tiger", "Ramirez", "Foster", "Deere", "Patel", "Coleman", "Red Elk", "Bennett", "Garcia", "Hudson"),
)
