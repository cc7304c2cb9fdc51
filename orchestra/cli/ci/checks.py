"""The steps that need no database and compare nothing with a database: check, compile-check, migrate-check."""

from __future__ import annotations

from orchestra.cli.ci import children, runner
from orchestra.cli.ci.step import Step


def check(step: Step) -> int:
    """Annotations beside the lines, and SARIF as a file."""
    strict = ("--strict",) if step.strict else ()
    if runner.is_github():
        code = children.annotated("check", *strict, "--format", "github", *step.tail)
        _, text = children.said("check", *step.tail)
    else:
        code, text = children.told("check", *strict, *step.tail)
    sarif = step.directory / "check.sarif"
    written, content = children.said("check", "--format", "sarif", *step.tail)
    if written in (0, 1) and content:
        sarif.write_text(content, encoding="utf-8")
        runner.output(sarif_file=sarif)
    runner.summary(f"### orchestra check\n\n{runner.quoted(text)}")
    return code


def compile_check(step: Step) -> int:
    """Whether what is committed is what the spec compiles to."""
    return _told("compile", step, f"--out={step.compiled}", "--check")


def migrate_check(step: Step) -> int:
    """Whether the newest migration brings about what the spec says."""
    return _told("migrate", step, f"--out={step.compiled}", "--check")


def _told(command: str, step: Step, *more: str) -> int:
    code, text = children.told(command, *more, *step.tail)
    if code:
        runner.summary(f"### orchestra {command} --check\n\n{runner.quoted(text)}")
    return code
