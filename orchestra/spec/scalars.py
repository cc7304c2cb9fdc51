"""What a plain (unquoted) scalar means.

Only what every YAML reader reads alike is anything but text: `true` and `false`, `null`, `~` and nothing,
decimal integers without leading zeros, and decimal fractions. All else stays text: `yes`, `on`, `010`,
`0x1F`, `1e3`, `1_000`, `+5`, `1:30`, `.inf`, `2026-01-31`. So `on:` is the key "on", and where a number or
a boolean is wanted the schema says so, with the hint from here.
"""

from __future__ import annotations

import re
from typing import Final

Scalar = str | int | float | bool | None

_WORDS: Final[dict[str, Scalar]] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "false": False,
}
# Eighteen digits fit 64 bits; a longer number stays text rather than losing digits.
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FRACTION: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_TRUE_WORDS: Final = frozenset({"yes", "on", "y", "true"})
_FALSE_WORDS: Final = frozenset({"no", "off", "n", "false"})
_OCTAL: Final = re.compile(r"[-+]?0o?[0-7]+")
_SEXAGESIMAL: Final = re.compile(r"[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?")


def resolve(text: str) -> Scalar:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    return text


class Plain(dict[str, Scalar]):
    """`plain[text]` resolves a plain scalar, each distinct text once."""

    def __missing__(self, text: str) -> Scalar:
        value = self[text] = resolve(text)
        return value


def hint(text: str) -> str:
    """What to write where YAML readers disagree about an unquoted `text`; empty where they agree."""
    low = text.lower()
    if low in _TRUE_WORDS:
        return f"YAML readers disagree about `{text}`, so it is read as text. Write `true`."
    if low in _FALSE_WORDS:
        return f"YAML readers disagree about `{text}`, so it is read as text. Write `false`."
    if low == "null":
        return f"YAML readers disagree about `{text}`, so it is read as text. Write `null`."
    if _OCTAL.fullmatch(text):
        digits = text.lower().lstrip("+-").replace("o", "").lstrip("0") or "0"
        return (
            f"YAML readers disagree about `{text}` (octal {int(digits, 8)} or decimal), so it is read as "
            "text. Write the decimal number without leading zeros."
        )
    if _SEXAGESIMAL.fullmatch(text):
        return f"YAML readers disagree about `{text}` (some count it in sixties), so it is read as text."
    if text[:1] in "+-.0123456789" and re.fullmatch(r"[-+]?[0-9_.xXa-fA-Fo+-]+|[-+]?\.(inf|nan)", text, re.I):
        return f"YAML readers disagree about `{text}`, so it is read as text. Write a decimal number."
    return ""
