"""The vendor on our pages: its name, its logo and its colour.

An operator sets them and people type their addresses beside them, so each is parsed strictly. A logo is given as bytes,
never as a URL: a page that loads a URL would let another host see who signs in, and choose what they see.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final, Self

from shared.kernel.names import Name


class VendorName(Name):
    """The vendor as people know it."""

    __slots__ = ()
    pattern = re.compile(r".{1,60}")
    rule = "A vendor's name is 1 to 60 characters on one line."

    @classmethod
    def normalise(cls, text: str) -> str:
        """Without surrounding blanks. Invisible characters, such as a change of writing direction, are refused."""
        return text.strip() if text.isprintable() else ""


class Colour(Name):
    """A colour as CSS writes it, lower-cased (https://www.w3.org/TR/css-color-4/#hex-notation)."""

    __slots__ = ()
    pattern = re.compile(r"#[0-9a-f]{6}")
    rule = "A colour is # and six hexadecimal digits, such as #0b5cad."

    @classmethod
    def normalise(cls, text: str) -> str:
        """In lower case."""
        return text.lower()

    def contrast(self, other: "Colour") -> float:
        """The contrast ratio, 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
        darker, lighter = sorted((self.luminance, other.luminance))
        return (lighter + 0.05) / (darker + 0.05)

    def readable_on(self, background: "Colour") -> "Colour":
        """This colour, or the nearest one towards black or white that is readable on a background."""
        end = max((_BLACK, _WHITE), key=background.contrast)
        mixes = (self._mixed(end, step / _STEPS) for step in count())
        return next(mix for mix in mixes if mix.contrast(background) >= READABLE)

    @property
    def luminance(self) -> float:
        """Relative luminance, 0 to 1 (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
        red, green, blue = map(_linear, self.channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    @property
    def channels(self) -> bytes:
        """Red, green and blue."""
        return bytes.fromhex(self[1:])

    def _mixed(self, other: "Colour", share: float) -> "Colour":
        channels = zip(self.channels, other.channels, strict=True)
        return Colour("#" + bytes(round(ours + (theirs - ours) * share) for ours, theirs in channels).hex())


def _linear(channel: int) -> float:
    """A channel of sRGB in proportion to its light."""
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB's numbers


READABLE: Final = 4.5
"""The contrast that text needs (https://www.w3.org/TR/WCAG22/#contrast-minimum)."""

_STEPS: Final = 16
_BLACK: Final = Colour("#000000")
_WHITE: Final = Colour("#ffffff")


def _begins_with(opening: bytes) -> Callable[[bytes], bool]:
    return lambda image: image.startswith(opening)


_KINDS: Final[dict[str, Callable[[bytes], bool]]] = {
    "png": _begins_with(b"\x89PNG\r\n\x1a\n"),
    "jpeg": _begins_with(b"\xff\xd8\xff"),
    "webp": lambda image: image.startswith(b"RIFF") and image[8:12] == b"WEBP",
    "svg+xml": lambda image: image.lstrip().startswith(b"<") and b"<svg" in image,
}
"""Image types that every browser shows, and how to recognise each. A script in an SVG does not run in an `<img>`
(https://www.w3.org/TR/SVG2/conform.html#secure-static-mode)."""


class Logo(Name):
    """An image as a `data:` URL (RFC 2397), so small that it fits into every page and into an app setting."""

    __slots__ = ()
    pattern = re.compile(r"data:image/(?:png|jpeg|webp|svg\+xml);base64,[A-Za-z0-9+/=]{1,10000}")
    rule = (
        "A logo is a PNG, JPEG, WebP or SVG image of 7 KB at most, written as data:image/png;base64, "
        "and the image in base64."
    )

    def __new__(cls, text: str) -> Self:  # noqa: D102 - the class says it
        logo = super().__new__(cls, text)
        kind, _, encoded = logo.removeprefix("data:image/").partition(";base64,")
        try:
            image = base64.b64decode(encoded, validate=True)
        except ValueError:
            image = b""
        if not _KINDS[kind](image):
            raise ValueError(cls.rule)
        return logo


@dataclass(frozen=True, slots=True, kw_only=True)
class Branding:
    """The vendor's branding on a page.

    Without a name it shows none. A logo stands in for the name, which screen readers read out instead.
    """

    name: VendorName | None
    """As people know the vendor."""
    logo: Logo | None
    """Its image, by its bytes."""
    colour: Colour
    """Of buttons and links."""
