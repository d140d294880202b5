"""Chooses between two representations by the Accept and Accept-Encoding headers (RFC 9110, section 12.5)."""

import re

_ELEMENT = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.?)*+(?:"|\Z))++')
"""What stands between commas. A quoted string that is never closed goes on to the end: nothing is read twice."""

_WEIGHT = re.compile(r";[ \t]*q[ \t]*=[ \t]*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*(?:;|$)", re.IGNORECASE)


def prefers(accept: str, media: str, default: str) -> bool:
    """Whether the caller prefers `media` to `default`: by a higher weight, or by name at the same weight.

    Args:
        accept: the Accept header, empty if there is none.
        media: a type such as `text/csv`.
        default: the type for callers without a preference.
    """
    ranges = dict(_weighted(element) for element in _ELEMENT.findall(accept))
    wanted, otherwise = _weight(ranges, media), _weight(ranges, default)
    return wanted > otherwise or (wanted == otherwise > 0 and media in ranges)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the caller names gzip among the encodings that it reads, and does not refuse it by a weight of 0."""
    return dict(_weighted(element) for element in _ELEMENT.findall(accept_encoding)).get("gzip", 0.0) > 0


def _weighted(element: str) -> tuple[str, float]:
    found = _WEIGHT.search(element)
    return element.partition(";")[0].strip().lower(), float(found[1]) if found else 1.0


def _weight(ranges: dict[str, float], media: str) -> float:
    """The weight of the most specific range that matches; without any range, every type is acceptable."""
    if not ranges:
        return 1.0
    kind = media.partition("/")[0]
    return next((ranges[each] for each in (media, f"{kind}/*", "*/*") if each in ranges), 0.0)
