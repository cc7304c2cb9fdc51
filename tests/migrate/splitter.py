"""Cuts a file into statements as the migration runner of Supabase's CLI does, its peculiarities included, and runs them
as it does: each prepared by itself, all in one implicit transaction.

The peculiarities: a semicolon between parentheses ends nothing; the first closing parenthesis ends every open one;
the dollar that ends an opening tag may begin the closing one; a backslash hides the next character; an `ATOMIC` after
a blank swallows semicolons up to the next `END`; comments stay with their statements.
"""

from __future__ import annotations

import psycopg


def split(text: str) -> list[str]:
    """The statements, without the semicolons that end them."""
    found: list[str] = []
    start = place = 0
    while place < len(text):
        place = _end(text, place, start)
        piece = text[start:place].rstrip(";").strip()
        if piece:
            found.append(piece)
        start = place
    return found


def _end(text: str, place: int, start: int) -> int:
    """Where the statement that goes on at `place` ends, its semicolon included."""
    while place < len(text):
        char = text[place]
        if char == ";":
            return place + 1
        if char == "(":
            place = _closed(text, place + 1, ")", start)
        elif (
            char in "cC"
            and text[max(start, place - 5) : place + 1].upper() == "ATOMIC"
            and _blank(text, place)
        ):
            place = _closed(text, place + 1, "END", start)
        else:
            place = _skipped(text, place)
    return place


def _blank(text: str, place: int) -> bool:
    return place >= 6 and text[place - 6].isspace()


def _closed(text: str, place: int, delimiter: str, start: int) -> int:
    """Behind the delimiter, wherever it stands outside of quotes and comments."""
    while place < len(text):
        after = _skipped(text, place)
        if after == place + 1 and text[place + 1 - len(delimiter) : place + 1].upper() == delimiter:
            return after
        place = after
    return place


def _skipped(text: str, place: int) -> int:
    """Behind the quoted text, the comment or the single character that begins here."""
    char = text[place]
    if char in "'\"":
        return _quoted(text, place)
    if text.startswith("--", place):
        end = text.find("\n", place)
        return len(text) if end < 0 else end + 1
    if text.startswith("/*", place):
        return _commented(text, place)
    if char == "\\":
        return place + 2
    if char == "$":
        return _dollared(text, place)
    return place + 1


def _quoted(text: str, place: int) -> int:
    """Only a doubled quote goes on; a backslash means nothing."""
    quote = text[place]
    end = place + 1
    while (end := text.find(quote, end)) >= 0:
        if text[end + 1 : end + 2] != quote:
            return end + 1
        end += 2
    return len(text)


def _commented(text: str, place: int) -> int:
    depth, here = 1, place + 2
    while here < len(text) and depth:
        if text.startswith("/*", here):
            depth, here = depth + 1, here + 2
        elif text.startswith("*/", here):
            depth, here = depth - 1, here + 2
        else:
            here += 1
    return here


def _dollared(text: str, place: int) -> int:
    end = place + 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    if text[end : end + 1] != "$":
        return end
    tag = text[place : end + 1]
    # The search begins at the tag's last character: that is where they look, too.
    found = text.find(tag, end)
    return len(text) if found < 0 else found + len(tag)


def push(url: str, text: str) -> None:
    """Runs a file as `supabase db push` does: one pipeline, one implicit transaction, its version recorded last."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("reset all")
        with connection.pipeline():
            for statement in split(text):
                connection.execute(statement.encode())
