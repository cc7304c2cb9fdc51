// Payloads against a schema, and bodies before them.

import assert from "node:assert/strict";
import { parseJson, readBody } from "../../orchestra/runtime/edge/body.ts";
import { inChunks } from "../../orchestra/runtime/edge/enqueue.ts";
import { Refusal } from "../../orchestra/runtime/edge/respond.ts";
import { validator } from "../../orchestra/runtime/edge/validate.ts";
import { post, stream } from "./requests.ts";

const PRODUCT = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    sku: { type: "string", minLength: 3 },
    price: { type: "number", exclusiveMinimum: 0 },
    mail: { type: "string", format: "email" },
    at: { type: "string", format: "date-time" },
    tags: { type: "array", items: { $ref: "#/$defs/tag" } },
    size: {
      prefixItems: [{ type: "number" }, { type: "string" }],
      items: false,
    },
  },
  required: ["sku"],
  additionalProperties: false,
  $defs: { tag: { enum: ["new", "old"] } },
};

Deno.test("a payload as the schema says has no faults", () => {
  const validate = validator(PRODUCT);
  assert.deepEqual(validate({ sku: "abc" }), []);
  const full = {
    sku: "abc",
    price: 0.1,
    mail: "a@example.com",
    at: "2026-11-24T01:00:00Z",
    tags: ["new", "old"],
    size: [1, "cm"],
  };
  assert.deepEqual(validate(full), []);
});

Deno.test("faults name the place and what is wrong there", () => {
  const validate = validator(PRODUCT);
  const where = (payload: unknown) => validate(payload).map(({ path }) => path);
  assert.deepEqual(where({}), [""]);
  assert.match(validate({})[0]?.message ?? "", /required property "sku"/);
  assert.deepEqual(where("text"), [""]);
  assert.deepEqual(where(null), [""]);
  assert.deepEqual(where({ sku: "ab", price: 0 }), ["/sku", "/price"]);
  assert.deepEqual(where({ sku: "abc", tags: ["new", "odd"] }), ["/tags/1"]);
  assert.deepEqual(where({ sku: "abc", mail: "nobody" }), ["/mail"]);
  assert.deepEqual(where({ sku: "abc", at: "yesterday" }), ["/at"]);
  assert.deepEqual(where({ sku: "abc", "a/b": 1 }), ["/a~1b"]);
  assert.deepEqual(where({ sku: "abc", size: [1, "cm", 2] }), ["/size/2"]);
});

Deno.test("names of Object.prototype are names like any other", () => {
  const strict = validator({ required: ["toString"], type: "object" });
  assert.equal(strict({}).length, 1);
  const closed = validator({ additionalProperties: false });
  assert.equal(closed(JSON.parse('{"__proto__": 1}')).length, 1);
});

Deno.test("a schema that refers to itself ends on any depth", () => {
  const tree = {
    $defs: { node: { type: "array", items: { $ref: "#/$defs/node" } } },
    $ref: "#/$defs/node",
  };
  const deep = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`);
  assert.deepEqual(validator(tree)([[], [[]]]), []);
  assert.deepEqual(validator(tree)(deep), [{
    path: "",
    message: "nested too deep",
  }]);
});

Deno.test("a URL is checked at once, whatever it looks like", () => {
  const validate = validator({ type: "string", format: "url" });
  assert.deepEqual(validate("https://shop.example/hooks?order=7"), []);
  const hostile = `http://${"a".repeat(64)}!`;
  assert.deepEqual([...validate(hostile), ...validate("shop")].length, 1);
});

Deno.test("true takes anything, false nothing, no schema anything", () => {
  assert.deepEqual(validator(true)(1), []);
  assert.equal(validator(false)(1).length, 1);
  assert.deepEqual(validator(null)(undefined), []);
});

Deno.test("a body is read up to its limit, whatever it says its length is", async () => {
  const request = (body: BodyInit, headers = {}) =>
    new Request("http://localhost/", { method: "POST", body, headers });
  assert.equal((await readBody(request(stream(100_000)))).length, 100_000);
  assert.equal(
    (await readBody(new Request("http://localhost/", { method: "POST" })))
      .length,
    0,
  );
  for (
    const large of [
      request(stream(100_001)),
      request("x", { "content-length": "100001" }),
    ]
  ) {
    await assert.rejects(
      readBody(large, 100_000),
      (error) => error instanceof Refusal && error.status === 413,
    );
  }
});

Deno.test("what is not JSON is refused without being repeated", async () => {
  for (
    const wrong of [
      "",
      "{",
      "secret",
      "{'a': 1}",
      new Uint8Array([0x22, 0xff, 0x22]),
    ]
  ) {
    assert.throws(
      () =>
        parseJson(
          typeof wrong === "string" ? new TextEncoder().encode(wrong) : wrong,
        ),
      (error) =>
        error instanceof Refusal && error.status === 400 &&
        error.message === "the body is not JSON",
    );
  }
  assert.deepEqual(parseJson(await readBody(post({ a: 1 }))), { a: 1 });
});

Deno.test("items go in chunks of a thousand, and of about 4 MB", () => {
  const items = Array.from({ length: 2_500 }, (_, i) => ({ i }));
  const chunks = inChunks(items);
  assert.deepEqual(chunks.map((text) => JSON.parse(text).length), [
    1_000,
    1_000,
    500,
  ]);
  assert.deepEqual(chunks.flatMap((text) => JSON.parse(text)), items);
  const large = "x".repeat(3 * 1024 * 1024);
  assert.equal(inChunks([large, large, 1]).length, 2);
  assert.deepEqual(inChunks([]), []);
  assert.throws(
    () => inChunks([1, "a\0"]),
    (error) => error instanceof Refusal && error.status === 422,
  );
});
