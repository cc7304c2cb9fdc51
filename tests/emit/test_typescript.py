"""What is written passes Deno's own judges, and a handler that does not fit its payload does not."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from deno_tool import complaints, deno, type_errors, write_functions
from emit_specs import DOOR, EXAMPLES, HOSTILE, ROOT, load, payload_schema

from orchestra import library
from orchestra.emit.functions import functions_of

SHOP = """\
version: 1
project: shop
workloads:
  import-product:
    trigger: {http: {auth: jwt}}
    fan_out: {max: 10}
    duration: {max: 20s}
    payload_schema: ./product.json
  report:
    trigger: manual
    steps:
      collect: {duration: {max: 5s}}
      render: {depends_on: [collect], map: collect, duration: {max: 5s}}
      publish: {depends_on: [render], duration: {max: 5s}}
"""
PRODUCT = {
    "type": "object",
    "required": ["sku"],
    "properties": {"sku": {"type": "string"}, "price": {"type": "number"}},
}
IMPORTS = """\
import { Permanent, Snooze } from "orchestra";
import type { Context, Payload } from "./workload.gen.ts";
"""


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    spec = load(SHOP, tmp_path / "spec", product=PRODUCT)
    return write_functions(spec, tmp_path)


def _folders(functions: Path) -> list[Path]:
    return [folder for folder in sorted(functions.iterdir()) if folder.name != "_shared"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_formatted_linted_and_typed(name: str, tmp_path: Path) -> None:
    spec = library.load(EXAMPLES[name])
    functions = write_functions(spec, tmp_path)
    assert complaints(functions) == ""
    assert [f.name for f in _folders(functions)] == [f.name for f in functions_of(spec)] != []
    assert type_errors(functions) == ""


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_handlers_of_the_examples_fit(name: str, tmp_path: Path) -> None:
    functions = write_functions(library.load(EXAMPLES[name]), tmp_path)
    shutil.copytree(EXAMPLES[name][0].parent / "supabase", tmp_path, dirs_exist_ok=True)
    assert complaints(functions) == ""
    assert type_errors(functions) == ""


def test_hostile_names_texts_and_schemas_are_too(tmp_path: Path) -> None:
    functions = write_functions(load(HOSTILE, tmp_path / "spec"), tmp_path)
    assert complaints(functions) == ""
    assert max(len(f.read_bytes()) for f in functions.glob("*/workload.gen.ts")) > 50_000
    assert type_errors(functions) == ""


def test_a_function_that_only_takes_requests_is_too(tmp_path: Path) -> None:
    text = f"version: 1\nproject: shop\nworkloads:{DOOR}"
    functions = write_functions(load(text, tmp_path / "spec"), tmp_path)
    assert complaints(functions) == ""
    assert sorted(f.name for f in (functions / "taken-in").iterdir()) == [
        "deno.json",
        "index.ts",
        "workload.gen.ts",
    ]
    assert type_errors(functions) == ""


def test_what_a_schema_holds_is_what_the_door_checks(tmp_path: Path) -> None:
    """Through strings, escapes, `__proto__` and constants of its own, the value is the schema that was written."""
    functions = write_functions(load(HOSTILE, tmp_path / "spec"), tmp_path)
    (folder,) = functions.glob("aaa*")
    (folder / "print.ts").write_text(
        'import { workload } from "./workload.gen.ts";\nconsole.log(JSON.stringify(workload.schema));\n'
    )
    done = deno("run", "print.ts", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == payload_schema()


FITS = """
export default async function (payload: Payload, { signal, sql, log }: Context) {
  if (payload.sku === "") throw new Permanent("no sku");
  if (payload.price === undefined) throw new Snooze("10m");
  signal.throwIfAborted();
  log.info("priced", { price: payload.price.toFixed(2), ...payload });
  await sql`select ${payload.sku}`;
}
"""
# Each a handler that must not compile, with the file, the line and the column where it is said.
FAULTY = {
    "a field that the schema does not have": (
        "export default (payload: Payload) => payload.weight;",
        "handler.ts:4:46",
        "Property 'weight' does not exist",
    ),
    "a field of another type": (
        "export default (payload: Payload): number => payload.sku;",
        "handler.ts:4:46",
        "Type 'string' is not assignable to type 'number'",
    ),
    "a field that may be missing": (
        "export default (payload: Payload) => payload.price.toFixed(2);",
        "handler.ts:4:38",
        "possibly 'undefined'",
    ),
    "a payload of its own making": (
        "export default (payload: { sku: number }) => payload.sku;",
        "index.ts:9:22",
        "Type 'string' is not assignable to type 'number'",
    ),
    "more than it is given": (
        "export default (_p: Payload, _c: Context, _more: string) => {};",
        "index.ts:9:22",
        "Target signature provides too few arguments",
    ),
    "no function": ("export default 7;", "index.ts:9:22", "is not assignable"),
    "no default export": ("export const handler = () => {};", "index.ts:6:8", "no default export"),
}


def test_triggers_on_one_table_send_what_each_of_them_is_told_to(tmp_path: Path) -> None:
    text = """\
version: 1
project: shop
workloads:
  follow:
    trigger:
      - {table: {name: public.product, on: [insert], payload: new}}
      - {table: {name: public.product, on: [update], columns: [price]}}
      - {table: {name: public.product, on: [update], columns: [name]}}
    duration: {max: 5s}
"""
    functions = write_functions(load(text, tmp_path / "spec"), tmp_path)
    (functions / "follow/handler.ts").write_text(
        'import type { Payload } from "./workload.gen.ts";\n\n'
        "export default (payload: Payload) =>\n"
        '  payload.op === "insert" ? payload.row : payload.op satisfies "update";\n'
    )
    assert complaints(functions) == ""
    assert type_errors(functions) == ""


def test_who_hears_of_failures_is_told_what_comes(tmp_path: Path) -> None:
    text = """\
version: 1
project: shop
workloads:
  import:
    trigger: manual
    duration: {max: 5s}
    on_failure: tell-ops
  tell-ops:
    trigger: {schedule: {every: 1h}}
    duration: {max: 5s}
"""
    functions = write_functions(load(text, tmp_path / "spec"), tmp_path)
    (functions / "tell-ops/handler.ts").write_text(
        'import type { Payload } from "./workload.gen.ts";\n\n'
        "export default (payload: Payload) =>\n"
        '  "scheduled_for" in payload\n'
        "    ? payload.scheduled_for satisfies string\n"
        '    : payload.reason satisfies "exhausted" | "permanent";\n'
    )
    assert complaints(functions) == ""
    assert type_errors(functions) == ""


def test_a_handler_that_fits_compiles(functions: Path) -> None:
    """In the folder of the function, as a user checks it."""
    folder = functions / "import-product"
    (folder / "handler.ts").write_text(IMPORTS + FITS)
    done = deno("check", "index.ts", cwd=folder)
    assert done.returncode == 0, done.stderr


def test_a_handler_that_does_not_fit_is_a_type_error(functions: Path) -> None:
    for number, (code, _, _) in enumerate(FAULTY.values()):
        copy = shutil.copytree(functions / "import-product", functions / f"case-{number}")
        (copy / "handler.ts").write_text(f"{IMPORTS}\n{code}\n")
    errors = type_errors(functions)
    for number, (case, (_, place, said)) in enumerate(FAULTY.items()):
        assert _says(errors, f"{functions.as_uri()}/case-{number}/{place}", said), f"{case}:\n{errors}"


def _says(errors: str, place: str, said: str) -> bool:
    """Whether one of the errors says this and points there."""
    return any(said in error and f"{place}\n" in f"{error}\n" for error in re.split(r"\n\n(?=TS)", errors))


STEPS = """\
import type {
  CollectPayload,
  Context,
  PublishPayload,
  RenderPayload,
} from "./workload.gen.ts";

export async function collect(_: CollectPayload, { sql }: Context) {
  await sql`select 1`;
  return [{ id: 1, since: new Date(), more: undefined as number | undefined }];
}

export function render(customer: RenderPayload) {
  const since: string = customer.since;
  return { path: `${customer.id}/${since}` };
}

export function publish({ render }: PublishPayload) {
  console.log(render.map((page) => page.path).join());
}
"""


def test_a_step_is_given_what_the_one_before_it_returns(functions: Path) -> None:
    """As JSON: a date has become a string."""
    (functions / "report/handler.ts").write_text(STEPS)
    assert type_errors(functions) == ""


ROWS = """\
import type {
  CollectPayload,
  Context,
  PublishPayload,
  RenderPayload,
} from "./workload.gen.ts";

type Id = number & { readonly unit: "customer" };

export function collect(_: CollectPayload, { sql }: Context) {
  return sql<{ id: Id; since: Date }[]>`select id, since from customer`;
}

export function render({ id, since }: RenderPayload) {
  const same: Id = id;
  return { pair: [same, since] as [Id, string] };
}

export function publish({ render }: PublishPayload) {
  for (const { pair: [id, since] } of render) {
    console.log(id.toFixed(), since.slice(0, 10));
  }
}
"""
FAULTY_ROWS = (
    ("{ id, since }:", "{ name }:", "handler.ts:14:26", "Property 'name' does not exist"),
    (
        "const same: Id = id",
        "const same: string = id",
        "handler.ts:15:9",
        "is not assignable to type 'string'",
    ),
    ("[id, since] }", "[id, since, more] }", "handler.ts:20:34", "has no element at index '2'"),
)


def test_a_step_is_given_the_rows_that_the_one_before_it_returns(functions: Path) -> None:
    """A result of the database is an array, whatever else it can do; a number with a mark stays that number."""
    (functions / "report/handler.ts").write_text(ROWS)
    assert type_errors(functions) == ""
    for number, (before, after, _, _) in enumerate(FAULTY_ROWS):
        copy = shutil.copytree(functions / "report", functions / f"case-{number}")
        (copy / "handler.ts").write_text(ROWS.replace(before, after))
    errors = type_errors(functions)
    for number, (_, after, place, said) in enumerate(FAULTY_ROWS):
        assert _says(errors, f"{functions.as_uri()}/case-{number}/{place}", said), f"{after}:\n{errors}"


FAULTY_STEPS = (
    ("customer.id", "customer.name", "handler.ts:15:30", "Property 'name' does not exist"),
    ("const since: string", "const since: Date", "handler.ts:14:9", "Type 'string' is not assignable"),
    ("page.path", "page.title", "handler.ts:19:41", "Property 'title' does not exist"),
    ("return [", "return 7; [", "index.ts:10:3", "is not assignable"),
    ("function publish", "function publisch", "index.ts:12:21", "Property 'publish' does not exist"),
)


def test_a_step_that_does_not_fit_is_a_type_error(functions: Path) -> None:
    for number, (before, after, _, _) in enumerate(FAULTY_STEPS):
        copy = shutil.copytree(functions / "report", functions / f"case-{number}")
        (copy / "handler.ts").write_text(STEPS.replace(before, after))
    errors = type_errors(functions)
    for number, (_, after, place, said) in enumerate(FAULTY_STEPS):
        assert _says(errors, f"{functions.as_uri()}/case-{number}/{place}", said), f"{after}:\n{errors}"


def test_what_the_manual_shows_compiles(functions: Path) -> None:
    manual = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    one, steps = re.findall(r"```ts\n(.*?)```", manual, re.DOTALL)
    (functions / "import-product/handler.ts").write_text(one)
    (functions / "report/handler.ts").write_text(steps)
    assert type_errors(functions) == ""
