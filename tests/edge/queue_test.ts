// A queue's function: wake-ups, and what a handler is given.

import assert from "node:assert/strict";
import { Permanent, Snooze } from "../../orchestra/runtime/edge/errors.ts";
import { handlerOfStep } from "../../orchestra/runtime/edge/pipeline.ts";
import type { Handout } from "../../orchestra/runtime/edge/protocol.ts";
import {
  oneHandler,
  queueFunction,
} from "../../orchestra/runtime/edge/queue.ts";
import type { Context } from "../../orchestra/runtime/edge/types.ts";
import { CONFIG } from "./fake_queue.ts";
import {
  type FakeHost,
  fakeHost,
  post,
  read,
  WORKER_KEY,
  workload,
} from "./requests.ts";

const WORKLOAD = workload("bulk-import");

/** A message as it is handed out, of a plain queue or of a run's step. */
const handout = (payload: unknown, step: string | null = null): Handout => ({
  id: "1",
  ct: 1,
  attempt: 1,
  payload,
  headers: step === null ? null : { orchestra: { run: 7, step, i: 0 } },
});

function open(
  host: FakeHost,
  handler: (payload: never, context: Context) => unknown,
) {
  return queueFunction({
    workload: WORKLOAD,
    dispatch: oneHandler(handler, host, WORKLOAD),
    door: null,
    host,
  });
}

const wake = (
  headers: Record<string, string> = {},
  body: unknown = { workload: "bulk-import" },
) => post(body, { "x-orchestra": "wake", apikey: WORKER_KEY, ...headers });

Deno.test("a wake-up is answered at once, and worked off behind it", async () => {
  const host = fakeHost();
  const answer = open(host, () => {});
  host.queue.send(1);
  assert.deepEqual(await read(await answer(wake())), [202, {
    status: "awake",
  }]);
  assert.equal(host.queue.done.length, 0);
  assert.equal(host.work.length, 1);
  await host.clock.until(Promise.all(host.work));
  assert.deepEqual(host.queue.done, ["1"]);
});

Deno.test("several wake-ups are several workers, and one slot has one", async () => {
  const host = fakeHost();
  const answer = open(host, () => {});
  for (let call = 0; call < 3; call++) await answer(wake());
  assert.equal(host.work.length, 3);
  host.queue.send(1);
  await host.clock.until(Promise.all(host.work));
  assert.equal(host.queue.calls.filter((call) => call === "enter").length, 3);
  assert.equal(
    host.queue.calls.filter((call) => call.startsWith("leave")).length,
    1,
  );
});

Deno.test("nobody else can wake it", async () => {
  const host = fakeHost();
  const answer = open(host, () => {});
  for (const apikey of ["", "wrong", "Bearer x"]) {
    const response = await answer(wake({ apikey }));
    assert.equal(response.status, 401);
    await response.body?.cancel();
  }
  assert.equal(host.work.length, 0);
});

Deno.test("a wake-up for another function does nothing", async () => {
  const host = fakeHost();
  const answer = open(host, () => {});
  assert.equal((await answer(wake({}, { workload: "other" }))).status, 404);
  assert.equal((await answer(wake({}, null))).status, 404);
  assert.equal((await answer(wake({}, "no json"))).status, 400);
  const get = new Request("http://localhost/", {
    headers: { "x-orchestra": "wake", apikey: WORKER_KEY },
  });
  assert.equal((await answer(get)).status, 405);
  assert.equal(host.work.length, 0);
});

Deno.test("an isolate that takes no more says so", async () => {
  const host = fakeHost();
  const answer = open(host, () => {});
  await host.clock.advance(195_000);
  assert.equal((await answer(wake())).status, 503);
  assert.equal(host.work.length, 0);
});

Deno.test("without a door there is nothing else to ask for", async () => {
  const answer = open(fakeHost(), () => {});
  assert.equal((await answer(post({ n: 1 }))).status, 404);
});

Deno.test("a handler gets its payload and what is known about it", async () => {
  const host = fakeHost();
  const seen: [unknown, Context][] = [];
  const answer = open(host, (payload, context) => {
    context.log.info("at work");
    seen.push([payload, context]);
  });
  host.queue.send({ n: 1 }, {
    headers: { orchestra: { run: 7, step: null, i: 3 }, x: "y" },
  });
  host.queue.send("plain");
  await answer(wake());
  await host.clock.until(Promise.all(host.work));
  const [[payload, context], [, plain]] = seen as [
    [unknown, Context],
    [unknown, Context],
  ];
  assert.deepEqual(payload, { n: 1 });
  assert.equal(context.messageId, "1");
  assert.equal(context.attempt, 1);
  assert.equal(context.maxAttempts, CONFIG.max_attempts);
  assert.deepEqual(context.run, { id: "7", step: null, index: 3 });
  assert.equal(context.headers?.["x"], "y");
  assert.equal(context.signal.aborted, false);
  assert.throws(() => context.sql, /no database here/);
  assert.equal(plain.run, null);
  assert.equal(plain.headers, null);
  const line = host.lines.find(({ message }) => message === "at work");
  assert.equal(line?.["message_id"], "1");
  assert.equal(line?.["attempt"], 1);
});

Deno.test("a message of a pipeline runs the handler of its step", async () => {
  const host = fakeHost();
  const dispatch = handlerOfStep(
    {
      "collect": () => ["a", "b"],
      "send-mail": (payload: string) => payload.toUpperCase(),
    },
    host,
    WORKLOAD,
  );
  const config = {
    ...CONFIG,
    steps: {
      "collect": { timeout_ms: 60_000, result: true },
      "send-mail": { timeout_ms: 10_000, result: false },
    },
  };
  const task = (step: string | null, payload: unknown) =>
    dispatch(handout(payload, step), config);
  const { signal } = new AbortController();
  const collect = task("collect", {});
  assert.deepEqual([collect.timeoutMs, collect.keepsResult], [60_000, true]);
  assert.deepEqual(await collect.call(signal), ["a", "b"]);
  const mail = task("send-mail", "b");
  assert.deepEqual([mail.timeoutMs, mail.keepsResult], [10_000, false]);
  assert.equal(await mail.call(signal), "B");
  // Steps of a version that is not deployed yet cost no attempt.
  for (const step of ["unknown", "toString"]) {
    assert.throws(
      () => task(step, {}).call(signal),
      (thrown: unknown) =>
        thrown instanceof Snooze && thrown.delayMs === 30_000 &&
        thrown.message === `this version has no step ${step}`,
    );
  }
  assert.throws(() => task(null, {}).call(signal), Permanent);
});

Deno.test("a payload that is not as its schema says is given up before the handler", () => {
  const schema = { type: "object", required: ["id"] } as const;
  const run = (checked: boolean, payload: unknown) => {
    const seen: unknown[] = [];
    const dispatch = oneHandler(
      (payload: unknown) => void seen.push(payload),
      fakeHost(),
      { ...WORKLOAD, schema, checked },
    );
    const item = handout(payload);
    const call = () =>
      dispatch(item, CONFIG).call(new AbortController().signal);
    return { call, seen };
  };
  const bad = run(true, { no: 1 });
  assert.throws(bad.call, Permanent);
  assert.throws(bad.call, /not as its schema says/);
  assert.deepEqual(bad.seen, []);
  const good = run(true, { id: 1 });
  good.call();
  assert.deepEqual(good.seen, [{ id: 1 }]);
  // Where triggers send payloads of their own, the schema is the door's.
  const open = run(false, { scheduled_for: "2026-11-24T03:00:00Z" });
  open.call();
  assert.equal(open.seen.length, 1);
});

Deno.test("of a pipeline only what begins a run is held against the schema", () => {
  const dispatch = handlerOfStep(
    { collect: () => 1, render: () => 2 },
    fakeHost(),
    { ...WORKLOAD, schema: { type: "object" }, checked: true },
  );
  const config = {
    ...CONFIG,
    steps: {
      collect: { timeout_ms: 1_000, result: true, input: true },
      render: { timeout_ms: 1_000, result: true, input: false },
    },
  };
  const call = (step: string) =>
    dispatch(handout("a text", step), config).call(
      new AbortController().signal,
    );
  assert.throws(() => call("collect"), Permanent);
  assert.equal(call("render"), 2);
});
