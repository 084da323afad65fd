"""PDFs: linearised, so that the first page shows before the last has come, compressed, and with nothing that acts.

What one store uploads is opened by others: a buyer reads a vendor's certificate, an admin a license.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from shared.media.rendering.outcome import DOCUMENT_NAME, MALFORMED, Rendition, Role, Unfit

if TYPE_CHECKING:
    from pikepdf import Pdf


def render_document(source: Path, folder: Path) -> list[Rendition]:
    """`document.pdf`. Raises Unfit."""
    import pikepdf

    try:
        with pikepdf.open(source) as pdf:
            if pdf.is_encrypted:
                raise Unfit("The PDF is encrypted; save it without a password.")
            if len(pdf.pages) == 0:
                raise Unfit("The PDF has no pages.")
            _disarm(pdf)
            pdf.save(
                folder / DOCUMENT_NAME,
                linearize=True,
                compress_streams=True,
                recompress_flate=True,
                object_stream_mode=pikepdf.ObjectStreamMode.generate,
            )
    except pikepdf.PasswordError as error:
        raise Unfit("The PDF is encrypted; save it without a password.") from error
    except (pikepdf.PdfError, *MALFORMED) as error:
        raise Unfit("The PDF is damaged.") from error
    return [Rendition(DOCUMENT_NAME, "application/pdf", Role.MAIN)]


def _disarm(pdf: "Pdf") -> None:
    """Take out scripts, links and other ways out, attached files, and media; what is seen on the pages stays."""
    from pikepdf import Dictionary, Name
    from pikepdf.sanitize import Sanitizer

    disarming = Sanitizer().remove_javascript().remove_external_access().remove_multimedia()
    disarming.remove_attachments().remove_collection().apply(pdf)
    # A form of this kind is a program of its own; readers that know none show the pages without it.
    form = pdf.Root.get(Name.AcroForm)
    if isinstance(form, Dictionary) and Name.XFA in form:
        del form[Name.XFA]
