"""What is written on a PDF, read back the way a reader does: by each font's own map from codes to letters."""

import io
import re

import pikepdf

_PAIR = re.compile(r"<([0-9a-fA-F]+)>\s+<([0-9a-fA-F]+)>")


def text_of(pdf: bytes) -> str:
    """The text, in the order in which it was drawn; each piece on a line of its own."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return "\n".join(piece for page in opened.pages for piece in _pieces(page))


def pages_of(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return len(opened.pages)


def _pieces(page):
    letters = {name: _letters(font) for name, font in page.Resources.Font.items()}
    known = {}
    for operands, operator in pikepdf.parse_content_stream(page):
        if str(operator) == "Tf":
            known = letters[str(operands[0])]
        elif str(operator) in ("Tj", "TJ"):
            shown = operands[0] if isinstance(operands[0], pikepdf.Array) else [operands[0]]
            yield "".join(_decoded(bytes(part), known) for part in shown if isinstance(part, pikepdf.String))


def _letters(font) -> dict[int, str]:
    mapped = font.ToUnicode.read_bytes().decode("latin-1")
    pairs = "".join(re.findall(r"beginbfchar(.*?)endbfchar", mapped, re.DOTALL))
    return {int(code, 16): bytes.fromhex(letter).decode("utf-16-be") for code, letter in _PAIR.findall(pairs)}


def _decoded(codes: bytes, known: dict[int, str]) -> str:
    return "".join(
        known.get(int.from_bytes(codes[n : n + 2]), "\N{REPLACEMENT CHARACTER}") for n in range(0, len(codes), 2)
    )
