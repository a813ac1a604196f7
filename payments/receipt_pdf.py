"""A receipt as PDF: one page or more, the same bytes for the same receipt, its font inside."""

from functools import cache
from io import BytesIO
from pathlib import Path

import reportlab
from django.conf import settings
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from billing.micros import usd
from payments.receipts import Receipt

_LEFT, _RIGHT, _TOP, _BOTTOM = 22 * mm, A4[0] - 22 * mm, A4[1] - 24 * mm, 24 * mm
_STEP = 6.2 * mm
_BUNDLED = Path(reportlab.__file__).parent / "fonts"


def receipt_pdf(receipt: Receipt) -> bytes:
    """The document. Amounts are exact US dollars."""
    target = BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle(f"Receipt {receipt.number}")
    canvas.setAuthor(receipt.issuer[0] if receipt.issuer else "")
    _Writer(canvas, _fonts(settings.RECEIPT_FONT)).write(receipt)
    canvas.showPage()
    canvas.save()
    return target.getvalue()


class _Writer:
    """Puts lines on pages, top to bottom."""

    def __init__(self, canvas: Canvas, fonts: tuple[TTFont, TTFont]) -> None:
        self._canvas = canvas
        self._plain, self._bold = fonts
        self._y = _TOP

    def write(self, receipt: Receipt) -> None:
        if receipt.sandbox:
            self._line("SANDBOX: no real money was paid.", bold=True)
        self._line("Receipt", size=20, bold=True)
        self._y -= _STEP / 2
        for text in receipt.issuer:
            self._line(text)
        self._y -= _STEP / 2
        self._pair("Number", receipt.number)
        self._pair("Date", f"{receipt.settled_at:%Y-%m-%d %H:%M} UTC")
        self._pair("Account", receipt.email)
        self._pair("Paid through", receipt.provider)
        self._pair("Reference", receipt.reference)
        self._rule()
        self._pair(receipt.package, f"{usd(receipt.paid)} USD")
        for line in receipt.lines:
            self._pair(f"{line.what} {line.at:%Y-%m-%d} ({line.reference})", f"{usd(line.amount)} USD")
        self._rule()
        self._pair("Total", f"{usd(receipt.total)} USD", bold=True)

    def _pair(self, left: str, right: str, *, bold: bool = False) -> None:
        self._make_room()
        font = self._bold if bold else self._plain
        room = _RIGHT - _LEFT - 6 * mm
        right = _shortened(_known(right, font), font, room * 0.62)
        left = _shortened(_known(left, font), font, room - stringWidth(right, font.fontName, 10))
        self._canvas.setFont(font.fontName, 10)
        self._canvas.drawString(_LEFT, self._y, left)
        self._canvas.drawRightString(_RIGHT, self._y, right)
        self._y -= _STEP

    def _line(self, text: str, *, size: int = 10, bold: bool = False) -> None:
        self._make_room()
        font = self._bold if bold else self._plain
        self._canvas.setFont(font.fontName, size)
        self._canvas.drawString(_LEFT, self._y, _shortened(_known(text, font), font, _RIGHT - _LEFT))
        self._y -= _STEP

    def _rule(self) -> None:
        self._canvas.setLineWidth(0.5)
        self._canvas.line(_LEFT, self._y + _STEP / 2, _RIGHT, self._y + _STEP / 2)
        self._y -= _STEP / 2

    def _make_room(self) -> None:
        if self._y < _BOTTOM:
            self._canvas.showPage()
            self._y = _TOP


@cache
def _fonts(path: str) -> tuple[TTFont, TTFont]:
    """The operator's font for everything, or the two that come with the library: Latin scripts."""
    files = (Path(path), Path(path)) if path else (_BUNDLED / "Vera.ttf", _BUNDLED / "VeraBd.ttf")
    fonts = tuple(TTFont(f"receipt-{number}", str(file)) for number, file in enumerate(files))
    for font in fonts:
        registerFont(font)
    return fonts[0], fonts[1]


def _known(text: str, font: TTFont) -> str:
    """`text` with a question mark for each character that the font cannot show, rather than nothing."""
    return "".join(one if ord(one) in font.face.charToGlyph else "?" for one in text)


def _shortened(text: str, font: TTFont, width: float) -> str:
    """`text` cut to `width` points, with an ellipsis where it was cut."""
    if stringWidth(text, font.fontName, 10) <= width:
        return text
    while text and stringWidth(f"{text}…", font.fontName, 10) > width:
        text = text[:-1]
    return f"{text}…"
