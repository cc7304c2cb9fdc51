"""The E1xx codes, one page each: what is wrong with the form of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import Final


@dataclass(frozen=True, slots=True)
class CodeDoc:
    """One code as its page shows it.

    `bad` and `good` are whole specs, except where a text cannot show the fault: then they are `#` comments.
    """

    code: str
    title: str
    why: str
    bad: str
    good: str


_TOP: Final = "version: 1\nproject: shop\n"
_WORK: Final = """\
workloads:
  purge:
    trigger: manual
    duration: {max: 5s}
"""


def _doc(code: str, title: str, why: str, bad: str, good: str = _TOP + _WORK) -> CodeDoc:
    return CodeDoc(code, title, why, dedent(bad), dedent(good))


def _workload(lines: str) -> str:
    """A spec of one workload with some more lines."""
    more = "".join(f"    {line}\n" for line in dedent(lines).strip().splitlines())
    return _TOP + _WORK + more


CODES: Final[tuple[CodeDoc, ...]] = (
    _doc(
        "E101",
        "A file cannot be read",
        "A plan made without a file would delete what that file declares, so nothing is planned. "
        "Folders are read "
        "as all their .yaml files; pipes and devices are never opened.",
        "# orchestra check no-such-file.yaml\n",
        "# orchestra check orchestra.yaml\n",
    ),
    _doc(
        "E102",
        "A file is too large",
        "A file above 16 MiB or a million keys and values is refused before it can exhaust the memory of the "
        "machine that reads it. Ten thousand workloads take about 4 MiB.",
        "# one file of 50 MB\n",
        "# a folder of several files, merged by workload\n",
    ),
    _doc(
        "E103",
        "A file is not UTF-8",
        "A spec is read as UTF-8, so that it reads the same on every machine. A UTF-8 byte order "
        "mark is dropped.",
        "# a file that was saved as UTF-16 or Latin-1\n",
        "# the same file saved as UTF-8\n",
    ),
    _doc(
        "E104",
        "A character that may not stand in a spec",
        "Control characters and the line separators of Unicode cannot be seen in an editor, and YAML readers "
        "disagree about them.",
        _TOP + "workloads:\n  purge: {summary: 'a\x07bell', trigger: manual, duration: {max: 5s}}\n",
    ),
    _doc(
        "E105",
        "The YAML cannot be read",
        "A text that is not YAML has no meaning that could be compiled.",
        "version: 1\nproject: [shop\n",
    ),
    _doc(
        "E106",
        "A tab in the indentation",
        "YAML allows only blanks there, because a tab's width differs between editors.",
        "version: 1\nproject: shop\nworkloads:\n\tpurge: {trigger: manual}\n",
    ),
    _doc(
        "E107",
        "The same key twice",
        "YAML readers keep one of the two without a word, and not all the same one.",
        _TOP + "project: store\n" + _WORK,
    ),
    _doc(
        "E108",
        "Aliases that grow without measure",
        "A few lines of nested aliases can grow beyond the memory of any machine, and an alias "
        "inside the value "
        "that it names never ends. Anchors, aliases and `<<` are fine while they repeat less than "
        "100,000 values.",
        "version: &a [*a]\nproject: shop\n",
        """\
        version: 1
        project: shop
        workloads:
          purge: &common
            trigger: manual
            duration: {max: 5s}
          vacuum:
            <<: *common
            summary: Another
        """,
    ),
    _doc(
        "E109",
        "Nested too deep",
        "No spec needs more than 64 levels; it is how a file crashes the programs that read it.",
        "version: " + "[" * 80 + "]" * 80 + "\n",
    ),
    _doc(
        "E110",
        "A tag",
        "A spec is plain data; tags such as `!!python/object` make programs construct objects.",
        "version: 1\nproject: !name shop\n",
    ),
    _doc(
        "E111",
        "More than one document in a file",
        "Only the first would be applied.",
        "version: 1\nproject: shop\n---\nworkloads: {}\n",
    ),
    _doc(
        "E112",
        "An empty file",
        "Taken for a spec without workloads, it would plan to delete everything.",
        "# nothing but this comment\n",
    ),
    _doc(
        "E113",
        "A key that is not text",
        "JSON Schema, and so every editor, knows only keys that are text.",
        _TOP + "workloads:\n  1: {trigger: manual, duration: {max: 5s}}\n",
    ),
    _doc(
        "E120",
        "An unknown key",
        "A key that nothing reads would look as if it were in force: a misspelt `retries` would "
        "retry nothing.",
        _workload("retires: {max_attempts: 3}"),
        _workload("retry: {max_attempts: 3}"),
    ),
    _doc(
        "E121",
        "A key is missing",
        "What it says cannot be guessed, such as how long the work may take.",
        _TOP + "workloads:\n  purge: {trigger: manual}\n",
    ),
    _doc(
        "E122",
        "A value of the wrong kind",
        "Values are never converted in silence. Words that YAML readers disagree about (`yes`, `010`, `1e3`, "
        "`1:30`) are text.",
        _workload("paused: yes"),
        _workload("paused: true"),
    ),
    _doc(
        "E123",
        "A value that is not among those allowed",
        "Only these words have a meaning here.",
        _workload("queue: {kind: durable}"),
        _workload("queue: {kind: standard}"),
    ),
    _doc(
        "E124",
        "A number out of range",
        "Outside the range it would mean nothing, or more than the platform can do.",
        _workload("batch_size: 0"),
        _workload("batch_size: 50"),
    ),
    _doc(
        "E125",
        "A text that cannot be read",
        "Durations, rates, names and paths have one form each, so that all specs read alike.",
        _workload("timeout: 1h30m"),
        _workload("timeout: 90m"),
    ),
    _doc(
        "E126",
        "Too few, too many or repeated entries",
        "An empty list often is a value that was lost; a repeated one a value that was meant to be another.",
        _workload("access: {enqueue: [authenticated, authenticated]}"),
        _workload("access: {enqueue: [authenticated]}"),
    ),
    _doc(
        "E127",
        "Keys that exclude each other",
        "It would not be clear which of them counts.",
        _TOP
        + "workloads:\n  purge:\n    duration: {max: 5s}\n"
        + "    trigger: {schedule: {cron: '0 3 * * *', every: 1h}}\n",
        _TOP
        + "workloads:\n  purge:\n    trigger: {schedule: {cron: '0 3 * * *'}}\n    duration: {max: 5s}\n",
    ),
    _doc(
        "E128",
        "Not supported",
        "What cannot be kept is refused, never accepted and ignored.",
        _workload("priority: 5"),
        _workload("concurrency: {limit: 4}"),
    ),
    _doc(
        "E129",
        "An unknown version of the format",
        "A newer format could mean something else by the same keys.",
        "version: 2\nproject: shop\n",
    ),
    _doc(
        "E130",
        "A workload in two files",
        "Only one of them could run, and which one would depend on the order of the files.",
        "# a.yaml and b.yaml in one folder, both with workloads: {purge: …}\n",
        "# each workload in one of them\n",
    ),
    _doc(
        "E131",
        "Files that do not agree",
        "Which of the two values counts would depend on the order in which the files are read.",
        "# a.yaml: project: shop\n# b.yaml: project: store\n",
        "# project: shop in one of them, or the same in both\n",
    ),
    _doc(
        "E132",
        "Names that are too long together",
        "`orchestra:<project>:<workload>` names a job, and PostgreSQL cuts names at 63 bytes "
        "without a word, so "
        "that two jobs could become one.",
        "version: 1\nproject: a-project-with-a-long-name\nworkloads:\n"
        "  a-workload-with-a-name-that-is-long: {trigger: manual, duration: {max: 5s}}\n",
    ),
    _doc(
        "E140",
        "A payload schema that cannot be read",
        "Payloads are checked against it at the door. The path is relative to the spec file.",
        _workload("payload_schema: ./payloads/absent.json"),
    ),
    _doc(
        "E141",
        "A payload schema that is not a JSON Schema",
        "No payload could be checked against it.",
        '# payloads/product.json: {"type": "objekt"}\n',
        '# payloads/product.json: {"type": "object"}\n',
    ),
    _doc(
        "E142",
        "A payload schema that refers outside itself",
        "Nothing is fetched: a schema that changes elsewhere would change what is accepted.",
        '# payloads/product.json: {"$ref": "common.json#/sku"}\n',
        '# payloads/product.json: {"$ref": "#/$defs/sku", "$defs": {"sku": {"type": "string"}}}\n',
    ),
    _doc(
        "E150",
        "An approval that cannot be read",
        "A plan made without it would be refused, or would ask for flags that say less than a review does. "
        "Approvals are files of the folder `approvals/` beside the spec, written by `orchestra approve`.",
        "# approvals/3f9c2a7be01d-44c8a2f0e6b1.yaml without its reason\n",
        "# the same file as `orchestra approve` wrote it\n",
    ),
    _doc(
        "E151",
        "An approval that was changed after it was written",
        "It was reviewed for one change of one project, with a bound on the messages that may be lost; what was edited "
        "or renamed since, nobody has reviewed as a whole.",
        "# approvals/3f9c2a7be01d-44c8a2f0e6b1.yaml with a higher at_most\n",
        "# the same file, written anew by `orchestra approve`\n",
    ),
    _doc(
        "E199",
        "Too many findings",
        "After 500 findings about the form the rest is not shown; most often the file is no spec.",
        "# a file of another program, with thousands of keys\n",
        "# a spec\n",
    ),
)
