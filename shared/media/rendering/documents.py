"""PDFs: linearised, so that the first page shows before the last has come, and compressed."""

from pathlib import Path

from shared.media.rendering.outcome import Rendition, Role, Unfit


def render_document(source: Path, folder: Path) -> list[Rendition]:
    """`document.pdf`. Raises Unfit."""
    import pikepdf

    try:
        with pikepdf.open(source) as pdf:
            if pdf.is_encrypted:
                raise Unfit("The PDF is encrypted; save it without a password.")
            if len(pdf.pages) == 0:
                raise Unfit("The PDF has no pages.")
            pdf.save(
                folder / "document.pdf",
                linearize=True,
                compress_streams=True,
                recompress_flate=True,
                object_stream_mode=pikepdf.ObjectStreamMode.generate,
            )
    except pikepdf.PasswordError as error:
        raise Unfit("The PDF is encrypted; save it without a password.") from error
    except pikepdf.PdfError as error:
        raise Unfit("The PDF is damaged.") from error
    return [Rendition("document.pdf", "application/pdf", Role.MAIN)]
