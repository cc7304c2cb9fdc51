// What must not compile. Each `@ts-expect-error` is itself an error when the line
// under it compiles after all, so checking this file is the test.

import assert from "node:assert/strict";
import type { FromSchema } from "json-schema-to-ts";
import {
  type CallWorkload,
  type Context,
  type PipelineWorkload,
  type QueueWorkload,
  serveCall,
  servePipeline,
  serveQueue,
  Snooze,
  type Verify,
} from "../../orchestra/runtime/edge/mod.ts";

const schema = {
  type: "object",
  properties: { sku: { type: "string" }, price: { type: "number" } },
  required: ["sku"],
  additionalProperties: false,
} as const;
type Payload = FromSchema<typeof schema>;

const common = {
  project: "shop",
  name: "some",
  contract: "0",
  wallClockMs: 400_000,
};
const door = { auth: "jwt", maxItems: 10 } as const;
const signed = {
  auth: { header: "x-signature", vault: "hook" },
  maxItems: 1,
} as const;

const queue = { ...common, schema, door } satisfies QueueWorkload;
const open = { ...common, schema: null, door: null } satisfies QueueWorkload;
const hooked = {
  ...common,
  schema: null,
  door: signed,
} satisfies QueueWorkload;
const call = { ...common, schema, door } satisfies CallWorkload;
// As generated code says it; JSON is the plainest type that refers to itself.
type Json = string | number | boolean | null | Json[] | {
  [key: string]: Json;
};
const recursive = {
  ...common,
  schema: {} as unknown as { readonly enum: readonly [Json] },
  door: null,
} satisfies QueueWorkload;
const pipeline = {
  ...common,
  schema: null,
  door: null,
  steps: ["collect", "send-mail"],
} as const satisfies PipelineWorkload;

declare const verify: Verify;
const greedy = (_payload: Payload, _context: Context, _more: string) => {};
const step = (_payload: { page: number }) => 1;

// Never called: it would listen.
export function compiles(): void {
  serveQueue(queue, (payload: Payload, context: Context) => {
    context.log.info(payload.sku, { price: payload.price?.toFixed(2) });
  });
  serveQueue(queue, (payload) => payload.sku.length);
  serveQueue(queue, async () => await Promise.resolve());
  serveQueue(open, (payload: unknown) => payload);
  serveQueue(hooked, () => {}, { verify });
  serveQueue(recursive, (payload: Json) => payload);
  serveCall(call, (payload, { sql }) => sql`select ${payload.sku}`);
  servePipeline(pipeline, { collect: step, "send-mail": () => {} });

  // @ts-expect-error the schema has no such field
  serveQueue(queue, (payload) => payload.weight);
  // @ts-expect-error the schema says string
  serveQueue(queue, (payload: { sku: number }) => payload.sku);
  // @ts-expect-error the schema does not promise a price
  serveQueue(queue, (payload: { sku: string; price: number }) => payload.price);
  // @ts-expect-error it may be any other JSON as well
  serveQueue(recursive, (payload: Json[]) => payload);
  // @ts-expect-error without a schema nothing is known of a payload
  serveQueue(open, (payload: { sku: string }) => payload.sku);
  // @ts-expect-error two parameters are given, not three
  serveQueue(queue, greedy);
  // @ts-expect-error a context is given
  serveQueue(queue, (_payload: Payload, _context: string) => {});
  // @ts-expect-error not a function
  serveQueue(queue, { handler: () => {} });
  // @ts-expect-error the door asks for a signature
  serveQueue(hooked, () => {});
  // @ts-expect-error the door asks for none
  serveQueue(queue, () => {}, { verify });
  // @ts-expect-error a call is always asked for
  serveCall(open, () => {});
  // @ts-expect-error a step has no handler
  servePipeline(pipeline, { collect: step });
  // @ts-expect-error a handler has no step
  servePipeline(pipeline, { collect: step, "send-mail": step, render: step });
  // @ts-expect-error no duration
  throw new Snooze("soon");
}

Deno.test("what must not compile does not", () => {
  assert.equal(typeof compiles, "function");
});
