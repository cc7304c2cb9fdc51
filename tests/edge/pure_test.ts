// Small pure parts: durations, JSON for jsonb, errors as text, logs, deadlines,
// the CPU count.

import assert from "node:assert/strict";
import { lifetime, mayTake } from "../../orchestra/runtime/edge/boot.ts";
import { Cpu } from "../../orchestra/runtime/edge/cpu.ts";
import { milliseconds } from "../../orchestra/runtime/edge/duration.ts";
import {
  describe,
  Permanent,
  Snooze,
} from "../../orchestra/runtime/edge/errors.ts";
import { isTransient } from "../../orchestra/runtime/edge/faults.ts";
import { storable, toJson } from "../../orchestra/runtime/edge/json.ts";
import { logger } from "../../orchestra/runtime/edge/log.ts";

Deno.test("durations read as in a spec", () => {
  assert.equal(milliseconds(1500), 1500);
  assert.equal(milliseconds("250ms"), 250);
  assert.equal(milliseconds("1.5s"), 1500);
  assert.equal(milliseconds("10m"), 600_000);
  assert.equal(milliseconds("2h"), 7_200_000);
  assert.equal(milliseconds("7d"), 604_800_000);
  assert.equal(milliseconds(0.2), 1);
});

Deno.test("what is no duration is refused where it is written", () => {
  for (const wrong of ["10", "10 m", "-1s", "1w", "", "NaNs"]) {
    assert.throws(() => milliseconds(wrong as "1s"), RangeError, wrong);
  }
  for (const wrong of [NaN, Infinity, -1]) {
    assert.throws(() => milliseconds(wrong), RangeError);
  }
  assert.throws(() => new Snooze("soon" as "1s"), RangeError);
});

Deno.test("what jsonb cannot store is found before it is sent", () => {
  assert.equal(toJson({ a: [1, "ü", null] }), '{"a":[1,"ü",null]}');
  assert.equal(toJson(undefined), "null");
  assert.equal(toJson("😀 \\u0000 is text"), '"😀 \\\\u0000 is text"');
  for (const wrong of ["a\0b", "\ud800", "\udfff x", "\\\0", { "\0": 1 }]) {
    assert.throws(() => toJson(wrong), /jsonb cannot store/);
  }
  assert.throws(() => toJson(1n), TypeError);
  assert.throws(() => toJson(() => 1), TypeError);
  const cycle: unknown[] = [];
  cycle.push(cycle);
  assert.throws(() => toJson(cycle), TypeError);
  const deep = (levels: number) =>
    JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
  assert.throws(() => toJson(deep(1_000_000)), /nested too deep/);
  assert.throws(() => toJson({ a: deep(1_000) }), /nested too deep/);
  assert.ok(toJson([deep(990), '"][{'.repeat(5_000), "\\"]));
});

Deno.test("text is made storable, not refused", () => {
  assert.equal(storable("a\0b\ud800"), "a\ufffdb\ufffd");
});

Deno.test("anything thrown has a description", () => {
  const error = new TypeError("no such thing", {
    cause: new Error("the cause", { cause: "of it" }),
  });
  const text = describe(error);
  assert.match(text, /^TypeError: no such thing\n {4}at /);
  assert.match(text, /\ncaused by: Error: the cause\n {4}at /);
  assert.match(text, /\ncaused by: of it$/);
  assert.match(describe(undefined), /no error: undefined$/);
  assert.match(describe(null), /no error: null$/);
  assert.match(describe("text"), /no error: text$/);
  assert.match(describe({ code: 7 }), /no error: \{"code":7\}$/);
  assert.match(describe(Symbol("x")), /no error: Symbol\(x\)$/);
  assert.match(describe(Object.create(null)), /no error: \{\}$/);
  assert.match(describe(new Permanent("gone\0")), /^Permanent: gone\ufffd/);
  assert.ok(describe(new Error("x".repeat(100_000))).length <= 8_000);
  const loop = new Error("loop");
  loop.cause = loop;
  assert.match(describe(loop), /^Error: loop/);
});

Deno.test("a failure tells where it comes from, and not what called the handler", () => {
  const ours = new URL("../../orchestra/runtime/edge/", import.meta.url).href;
  const error = new Error("no address");
  error.stack = [
    "Error: no address",
    "    at handler (file:///shop/supabase/functions/mail/handler.ts:4:41)",
    `    at Object.call (${ours}queue.ts:46:14)`,
    `    at answer (${ours}job.ts:82:29)`,
  ].join("\n");
  assert.equal(
    describe(error),
    "Error: no address\n    at handler (file:///shop/supabase/functions/mail/handler.ts:4:41)",
  );
  error.stack = `Error: no address\n    at answer (${ours}job.ts:82:29)`;
  assert.match(describe(error), /^Error: no address\n {4}at answer/);
});

Deno.test("a hostile value is described without throwing", () => {
  const hostile = new Proxy({}, {
    get() {
      throw new Error("no");
    },
  });
  assert.match(describe(hostile), /cannot be described/);
  const liar = new Error("x");
  Object.defineProperty(liar, "message", {
    get() {
      throw new Error("no");
    },
  });
  assert.match(describe(liar), /cannot be described/);
});

Deno.test("what a pooler says passes by itself, unless it is for good", () => {
  const fatal = (message: string) =>
    isTransient(Object.assign(new Error(message), { code: "XX000" }));
  for (
    const message of [
      "(EDBHANDLEREXITED) connection to database closed. Check logs for more information",
      "(ECHECKOUTTIMEOUT) Pool checkout timeout. Request was dropped after 15000ms",
      "(ECHECKOUTFAILED) checkout failed due to %{}",
      "(EPOOLTERMINATING) pool terminating: pool is terminating",
      "(ECIRCUITBREAKER) too many authentication errors",
      "(EMAXCONNSESSION) max clients reached in session mode",
      "Max client connections reached",
      "DbHandler exited",
      "Internal error (authenticated): :closed",
    ]
  ) assert.ok(fatal(message), message);
  for (
    const message of [
      "Tenant or user not found",
      "(ENOTFOUND) tenant/user postgres.ref not found",
      "(ESESSIONLEAK) LISTEN is not allowed in transaction mode",
      "cache lookup failed for relation 4711",
    ]
  ) assert.ok(!fatal(message), message);
});

Deno.test("log lines are JSON with the fields of their log", () => {
  const lines: [string, Record<string, unknown>][] = [];
  const log = logger(
    { project: "shop" },
    (level, line) => lines.push([level, JSON.parse(line)]),
  );
  log.with({ message_id: "7" }).warn("careful", {
    error: new Error("why"),
    big: 5n,
  });
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  log.error("odd", circle);
  assert.equal(lines[0]?.[0], "warn");
  const [, first] = lines[0] ?? assert.fail();
  assert.match(String(first["error"]), /^Error: why\n/);
  delete first["error"];
  assert.deepEqual(first, {
    level: "warn",
    message: "careful",
    project: "shop",
    message_id: "7",
    big: "5",
  });
  assert.deepEqual(lines[1]?.[1], {
    level: "error",
    message: "odd",
    fields: "cannot be written",
  });
});

Deno.test("work is taken in the first half, if it fits into the whole", () => {
  const life = lifetime(150_000, 1_000);
  assert.equal(life.takeUntil, 71_000);
  assert.equal(life.endsAt, 146_000);
  assert.ok(mayTake(life, 70_999, 75_000));
  assert.ok(!mayTake(life, 71_000, 0));
  assert.ok(!mayTake(life, 50_000, 96_001));
});

Deno.test("half of an isolate's CPU is given out, and a further quarter a wake-up", () => {
  const cpu = new Cpu(2_000);
  assert.equal(cpu.room(5), 200);
  cpu.take(5, 150);
  cpu.wake();
  assert.equal(cpu.room(5), 100);
  cpu.take(5, 100);
  assert.equal(cpu.room(5), 0);
  assert.equal(cpu.room(0), Infinity);
  cpu.giveBack(5, 3);
  assert.equal(cpu.room(5), 3);
  cpu.wake();
  assert.equal(cpu.room(5), 100);
});
