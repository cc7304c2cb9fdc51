"""The pages about codes, from the rules themselves: `python -m orchestra.check.docs` writes them to docs/rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from orchestra.check import RULES, check
from orchestra.check.rule import Rule
from orchestra.check.units import UNIT_CODES
from orchestra.diagnostics import Diagnostic

INCLUDES: Final = MappingProxyType({"payloads/product.json": '{"type": "object"}'})
"""The files that examples include."""
_FAMILIES: Final = {
    "1": ("Form", "What the file says is not a spec."),
    "2": ("References", "Names that do not fit together."),
    "3": ("Platform and lease", "What the platform does not do, or not for that long."),
    "4": ("Schedules", "Times that do not mean what they seem to."),
    "5": ("Security", "Doors that stand open."),
    "9": ("Comments", "Findings about comments that silence others."),
}
_INTRODUCTION: Final = """\
# Codes

What `orchestra check` reports, by code. An error (E…) stops compile, plan and apply; advice (W…) does not.

A comment silences a finding on its own line, or on the line below when it stands alone:

```yaml
    queue: {kind: unlogged} # orchestra: ignore[W304] counters, rebuilt every night
```

It needs a reason, and one that silences nothing is reported. Advice can always be silenced, an error only where the
page says so.
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One code as its page shows it."""

    code: str
    title: str
    why: str
    bad: str
    good: str
    ignorable: bool
    found: tuple[Diagnostic, ...] = ()

    @property
    def kind(self) -> str:
        return "error" if self.code.startswith("E") else "advice"


def pages() -> dict[str, str]:
    """File name -> text of every page. Pure."""
    from orchestra.spec.codes import CODES

    form = [Page(c.code, c.title, c.why, c.bad, c.good, False) for c in (*CODES, *UNIT_CODES)]
    every = sorted([*form, *map(_of, RULES)], key=lambda p: (p.code[1], p.code[0], p.code))
    return {"README.md": _index(every), **{f"{p.code}.md": _page(p) for p in every}}


def _of(rule: Rule) -> Page:
    found = tuple(d for d in _check(rule.bad) if d.code == rule.code)
    return Page(rule.code, rule.title, rule.why, rule.bad, rule.good, rule.ignorable, found)


def _check(text: str) -> Iterable[Diagnostic]:
    from orchestra.spec import parse_spec

    spec = parse_spec(text, includes=INCLUDES).spec
    return check(spec) if spec is not None else ()


def _index(every: Iterable[Page]) -> str:
    out = [_INTRODUCTION]
    family = ""
    for page in every:
        if page.code[1] != family:
            family = page.code[1]
            title, text = _FAMILIES[family]
            out.append(f"\n## {title}\n\n{text}\n\n| Code | | |\n|---|---|---|\n")
        word = f"{page.kind}, may be ignored" if page.ignorable and page.kind == "error" else page.kind
        out.append(f"| [{page.code}]({page.code}.md) | {page.title} | {word} |\n")
    return "".join(out)


def _page(page: Page) -> str:
    out = [f"# {page.code}: {page.title}\n\n{page.why}\n"]
    if page.ignorable:
        out.append(f"\nMay be silenced where it is right: `# orchestra: ignore[{page.code}] the reason`.\n")
    else:
        out.append("\nCannot be silenced by a comment.\n")
    out.append(f"\n## Bad\n\n{_example(page.bad)}")
    for d in page.found:
        out.append(f"\n> **{d.severity}[{d.code}]** {d.span}: {d.message}\n>\n> {d.help}\n")
    out.append(f"\n## Good\n\n{_example(page.good)}")
    return "".join(out)


def _example(text: str) -> str:
    """A file as a block of YAML, its long lists cut; words as they are."""
    if "\n" not in text:
        return f"{text}\n"
    lines = text.rstrip("\n").split("\n")
    if len(lines) > 40:
        lines = [*lines[:8], f"  # … and {len(lines) - 9} more", lines[-1]]
    body = "\n".join(lines)
    return f"```yaml\n{body}\n```\n"


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the pages, and remove those of codes that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path("docs/rules"), pages())
