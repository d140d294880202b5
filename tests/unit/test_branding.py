"""The vendor on our pages: what an operator may set, and that whatever they set can be read."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.branding import READABLE, Colour, Logo, VendorName

COLOURS = st.builds("#{:06x}".format, st.integers(0, 0xFFFFFF)).map(Colour)


def logo(kind: str, image: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


PNG = b"\x89PNG\r\n\x1a\n and what is drawn"
IMAGES = {
    "png": PNG,
    "jpeg": b"\xff\xd8\xff and what is drawn",
    "webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "svg+xml": b'\n<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
}


@pytest.mark.parametrize(("kind", "image"), IMAGES.items(), ids=IMAGES)
def test_a_logo_is_an_image(kind: str, image: bytes) -> None:
    assert Logo(logo(kind, image)) == logo(kind, image)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://vendor.example/logo.png",
        "javascript:alert(1)",
        logo("gif", b"GIF89a"),
        logo("png", PNG).replace("image/png", "text/html"),
        logo("png", PNG).replace(";base64", ";charset=utf-8;base64"),
        "data:image/svg+xml,<svg onload=alert(1)>",
        logo("png", PNG) + '"><script>alert(1)</script>',
        logo("png", PNG)[:-1],
        "data:image/png;base64,====",
        logo("png", PNG[:8]) + "=AAAA",
        logo("png", IMAGES["jpeg"]),
        logo("jpeg", PNG),
        logo("webp", b"RIFF\x10\x00\x00\x00WAVEfmt "),
        logo("svg+xml", b"<html></html>"),
        logo("svg+xml", b"a text about <svg"),
        logo("png", PNG + bytes(8_000)),
    ],
)
def test_what_is_no_small_image_is_no_logo(text: str) -> None:
    with pytest.raises(ValueError, match=r"^A logo is a PNG, JPEG, WebP or SVG image of 7 KB at most"):
        Logo(text)


def test_a_logo_of_seven_kilobytes_fits() -> None:
    assert Logo(logo("png", PNG + bytes(7 * 1024 - len(PNG))))


def test_a_name_loses_the_blanks_around_it() -> None:
    assert VendorName(" Vendor & Söhne ") == "Vendor & Söhne"


@pytest.mark.parametrize("text", ["", " ", "x" * 61, "Ven\ndor", "Ven\u202edor", "Ven\0dor"])
def test_what_cannot_stand_on_one_line_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^A vendor's name is 1 to 60 characters on one line\.$"):
        VendorName(text)


def test_a_colour_is_lower_cased() -> None:
    assert Colour("#0B5CAD") == "#0b5cad"


def test_white_space_around_a_setting_was_pasted_with_it() -> None:
    assert Colour(" #0b5cad\n") == "#0b5cad"
    assert Logo(f"\t{logo('png', PNG)}\n") == logo("png", PNG)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0b5cad",
        "#0b5",
        "#0b5cag",
        "#0b5cad; }",
        "blue",
        "rgb(1, 2, 3)",
        "#\N{ARABIC-INDIC DIGIT ZERO}00000",
    ],
)
def test_what_is_not_six_digits_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match=r"^A colour is # and six hexadecimal digits, such as #0b5cad\.$"):
        Colour(text)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#777777", "#ffffff", 4.48),
        ("#0b5cad", "#ffffff", 6.67),
        ("#0b5cad", "#0b5cad", 1),
        ("#050505", "#000000", 1.03),
    ],
)
def test_contrast_is_wcags(one: str, other: str, ratio: float) -> None:
    assert Colour(one).contrast(Colour(other)) == pytest.approx(ratio, abs=0.005)
    assert Colour(other).contrast(Colour(one)) == pytest.approx(ratio, abs=0.005)


@given(COLOURS, COLOURS)
def test_every_colour_can_be_made_readable_on_every_background(colour: Colour, background: Colour) -> None:
    assert colour.readable_on(background).contrast(background) >= READABLE


@given(COLOURS, COLOURS)
def test_a_colour_that_can_be_read_stays_as_it_is(colour: Colour, background: Colour) -> None:
    readable = colour.readable_on(background)
    assert readable.readable_on(background) == readable
    assert (readable == colour) == (colour.contrast(background) >= READABLE)


def test_a_yellow_on_white_stays_a_yellow() -> None:
    red, green, blue = Colour("#ffd400").readable_on(Colour("#ffffff")).channels
    assert red > green > blue == 0
