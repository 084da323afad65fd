"""A transport manifest on paper: US Letter, as PDF. The same manifest gives the same bytes.

The type is DejaVu, embedded, so that names show with whatever Latin, Greek or Cyrillic letters they have; any
other letter shows as a box.
"""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.orders.manifests.content import Goods, Manifest, Party

if TYPE_CHECKING:
    from fpdf import FPDF

TITLE = "Transport manifest"
_FONTS = Path(__file__).parent / "fonts"
_FAMILY = "DejaVu"
_MARGIN_MM, _LINE_MM = 15.0, 4.6
_HEAD = ("", "Product", "SKU", "Quantity", "Batch no.")
_WIDTHS = (8, 86, 34, 26, 32)
_LEGAL = "Inventory manifest under OAC 442:10-3-6. One copy stays with each licensee; keep it with your records."


def printed(manifest: Manifest) -> bytes:
    """The PDF."""
    paper = _blank(manifest)
    _title(paper, manifest)
    _sides(paper, manifest)
    _transport(paper, manifest)
    _inventory(paper, manifest.goods)
    _signatures(paper)
    return bytes(paper.output())


def _blank(manifest: Manifest) -> "FPDF":
    from fpdf import FPDF

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-_MARGIN_MM)
            self.set_font(_FAMILY, size=7)
            page = f"Order {manifest.order_number}, page {self.page_no()} of {{nb}}"
            self.cell(w=self.epw * 0.8, h=_LINE_MM, text=_LEGAL)
            self.cell(w=self.epw * 0.2, h=_LINE_MM, text=page, align="R")

    paper = Paper(format="letter", unit="mm")
    paper.set_margin(_MARGIN_MM)
    paper.set_auto_page_break(auto=True, margin=_MARGIN_MM + 5)
    paper.add_font(_FAMILY, fname=_FONTS / "DejaVuSansCondensed.ttf")
    paper.add_font(_FAMILY, style="B", fname=_FONTS / "DejaVuSansCondensed-Bold.ttf")
    paper.set_title(f"{TITLE} of order {manifest.order_number}")
    paper.set_lang("en-US")
    # The order's moment rather than this one: the bytes depend on nothing but the manifest.
    paper.set_creation_date(manifest.placed_at)
    paper.add_page()
    return paper


def _title(paper: "FPDF", manifest: Manifest) -> None:
    paper.set_font(_FAMILY, style="B", size=16)
    paper.cell(h=9, text=TITLE, new_x="LMARGIN", new_y="NEXT")
    paper.set_font(_FAMILY, size=9)
    placed = manifest.placed_at.strftime("%B %d, %Y")
    paper.cell(h=_LINE_MM, text=f"Order {manifest.order_number}, placed on {placed}", new_x="LMARGIN", new_y="NEXT")
    paper.ln(3)


def _sides(paper: "FPDF", manifest: Manifest) -> None:
    """Both licensees, side by side."""
    top, half = paper.get_y(), paper.epw / 2
    ends = []
    for n, (head, party) in enumerate((("From", manifest.origin), ("To", manifest.destination))):
        paper.set_y(top)
        _block(paper, head, _party(party), x=paper.l_margin + n * half, width=half - 4)
        ends.append(paper.get_y())
    paper.set_y(max(ends) + 3)


def _party(party: Party) -> list[str]:
    licenses = "Licenses" if len(party.licenses) > 1 else "License"
    return [party.name, f"{licenses}: {', '.join(party.licenses)}", *party.address, *party.contact]


def _transport(paper: "FPDF", manifest: Manifest) -> None:
    carrier, agent_license = manifest.carrier, f"Agent license no. {_rule(20)}"
    told = [
        f"{carrier.name}, transporter license {carrier.license or _rule(24)}",
        "  ".join(filter(None, (f"Driver: {carrier.driver or _rule(30)}", carrier.driver_phone, agent_license))),
        f"Departure, date and time: {manifest.departure or _rule(34)}",
    ]
    _block(paper, "Transport", told, x=paper.l_margin, width=paper.epw)
    paper.ln(4)


def _block(paper: "FPDF", head: str, lines: list[str], *, x: float, width: float) -> None:
    for text, style in ((head, "B"), *((line, "") for line in lines)):
        paper.set_font(_FAMILY, style=style, size=9)
        paper.set_x(x)
        paper.multi_cell(w=width, h=_LINE_MM, text=text, align="L", new_x="LMARGIN", new_y="NEXT")


def _inventory(paper: "FPDF", goods: tuple[Goods, ...]) -> None:
    """The lines under a head that every page repeats, and how many there are."""
    paper.set_font(_FAMILY, size=8)
    aligned: Any = ("RIGHT", "LEFT", "LEFT", "RIGHT", "LEFT")
    with paper.table(col_widths=_WIDTHS, text_align=aligned, line_height=_LINE_MM, padding=0.8) as table:
        table.row(_HEAD)
        for n, one in enumerate(goods, start=1):
            table.row(
                (
                    str(n),
                    f"{one.title}\n{one.sort}" if one.sort else one.title,
                    one.sku,
                    f"{one.qty:,} x {one.unit}",
                    "",
                )
            )
    paper.ln(2)
    paper.multi_cell(w=paper.epw, h=_LINE_MM, text=_total(goods), align="L", new_x="LMARGIN", new_y="NEXT")


def _total(goods: tuple[Goods, ...]) -> str:
    """How many lines, and how much of each unit."""
    units: Counter[str] = Counter()
    for one in goods:
        units[one.unit] += one.qty
    lines = "1 line" if len(goods) == 1 else f"{len(goods)} lines"
    return f"{lines}: {', '.join(f'{qty:,} x {unit}' for unit, qty in sorted(units.items()))}"


def _signatures(paper: "FPDF") -> None:
    """Room for the pen, on one page."""
    with paper.unbreakable() as whole:
        whole.ln(6)
        whole.set_font(_FAMILY, size=8)
        for who in ("Originating licensee", "Driver", "Receiving licensee"):
            signed = f"{who}: name {_rule(26)}  signature {_rule(28)}  date and time {_rule(20)}"
            whole.cell(h=9, text=signed, new_x="LMARGIN", new_y="NEXT")


def _rule(length: int) -> str:
    return "_" * length
