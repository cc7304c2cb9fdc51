// Calls: the answer before the work, and the ledger after it.

import assert from "node:assert/strict";
import {
  callFunction,
  type CallParts,
} from "../../orchestra/runtime/edge/call.ts";
import { Permanent, Snooze } from "../../orchestra/runtime/edge/errors.ts";
import type { Ending } from "../../orchestra/runtime/edge/ledger.ts";
import { Refusal } from "../../orchestra/runtime/edge/respond.ts";
import type { Context } from "../../orchestra/runtime/edge/types.ts";
import { validator } from "../../orchestra/runtime/edge/validate.ts";
import { away } from "./fake_queue.ts";
import { type FakeHost, fakeHost, post, read, workload } from "./requests.ts";

interface Opened {
  readonly host: FakeHost;
  readonly accepted: string[];
  readonly ended: Ending[];
  readonly answer: (request: Request) => Promise<Response>;
}

function open(
  handler: (payload: never, context: Context) => unknown,
  ledger: Partial<CallParts["ledger"]> = {},
): Opened {
  const host = fakeHost();
  const accepted: string[] = [];
  const ended: Ending[] = [];
  const answer = callFunction({
    workload: {
      ...workload("relay-webhook"),
      door: { auth: "none", maxItems: 1 },
    },
    handler,
    gate: () => Promise.resolve(null),
    validate: validator({ type: ["object", "array"] }),
    ledger: {
      accept(payload) {
        accepted.push(payload);
        return Promise.resolve({ callId: "42", timeoutMs: 10_000 });
      },
      settle(_id, ending) {
        ended.push(ending);
        return Promise.resolve();
      },
      ...ledger,
    },
    host,
  });
  return { host, accepted, ended, answer };
}

Deno.test("accepted, to the letter, before the handler has done anything", async () => {
  let done = false;
  const { host, accepted, ended, answer } = open(
    async (_payload, { signal }) => {
      assert.equal(signal.aborted, false);
      await new Promise((resolve) => host.clock.after(5_000, () => resolve(0)));
      done = true;
    },
  );
  const response = await answer(post({ items: [1, 2] }));
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '{"status":"accepted"}');
  assert.equal(response.headers.get("x-orchestra-call"), "42");
  assert.deepEqual(accepted, ['{"items":[1,2]}']);
  assert.equal(done, false);
  assert.deepEqual(ended, []);
  await host.clock.until(Promise.all(host.work));
  assert.equal(done, true);
  assert.deepEqual(ended, [{ error: null, code: null }]);
  assert.equal(host.hooks.size, 0);
});

Deno.test("a handler that does not wait does not keep the answer back", async () => {
  let started = 0;
  const { host, answer } = open(() => void started++);
  await answer(post({}));
  assert.equal(started, 0);
  await host.clock.until(Promise.all(host.work));
  assert.equal(started, 1);
});

Deno.test("no answer without an entry in the ledger", async () => {
  let started = 0;
  const refusing = (error: Error) =>
    open(() => void started++, { accept: () => Promise.reject(error) });
  const gone = await refusing(away()).answer(post({}));
  assert.equal(gone.status, 503);
  assert.equal(gone.headers.get("retry-after"), "5");
  assert.equal(
    (await refusing(Refusal.later("paused")).answer(post({}))).status,
    503,
  );
  assert.equal((await refusing(new Error("?")).answer(post({}))).status, 500);
  const invalid = open(() => void started++);
  assert.equal((await invalid.answer(post("7"))).status, 422);
  assert.equal((await invalid.answer(post("{"))).status, 400);
  assert.equal((await invalid.answer(post({ a: "\0" }))).status, 422);
  assert.deepEqual(invalid.accepted, []);
  assert.equal(started, 0);
});

Deno.test("every failure is in the ledger and in the log", async () => {
  const failing: [() => unknown, RegExp, string | null][] = [
    [
      () => {
        throw new Error("broken");
      },
      /^Error: broken\n/,
      null,
    ],
    [() => Promise.reject(undefined), /no error: undefined/, null],
    [
      () => Promise.reject(new Permanent("never")),
      /^Permanent: never/,
      "ORC01",
    ],
    [
      () => Promise.reject(new Snooze("5s", "busy")),
      /^snoozed, but nothing.*busy/,
      null,
    ],
    [() => new Promise(() => {}), /^timed out after 10000 ms$/, "timeout"],
  ];
  for (const [handler, text, code] of failing) {
    const { host, ended, answer } = open(handler);
    assert.deepEqual(await read(await answer(post({}))), [200, {
      status: "accepted",
    }]);
    await host.clock.until(Promise.all(host.work));
    assert.equal(ended.length, 1);
    assert.match(ended[0]?.error ?? "", text);
    assert.equal(ended[0]?.code, code);
    const line = host.lines.find(({ level }) => level === "error");
    assert.equal(line?.["call_id"], "42");
    assert.match(String(line?.["error"]), text);
  }
});

Deno.test("the end of the isolate is written down while there is time", async () => {
  const { host, ended, answer } = open(() => new Promise(() => {}));
  await answer(post({}));
  host.shutDown("memory");
  await host.clock.advance(0);
  assert.deepEqual(ended, [
    { error: "its isolate was shut down (memory)", code: "shutdown" },
  ]);
});

Deno.test("the ledger is written when the database is back", async () => {
  let calls = 0;
  const settled: Ending[] = [];
  const { host, answer } = open(() => {}, {
    settle(_id, ending) {
      if (++calls < 5) return Promise.reject(away());
      settled.push(ending);
      return Promise.resolve();
    },
  });
  await answer(post({}));
  await host.clock.until(Promise.all(host.work));
  assert.deepEqual(settled, [{ error: null, code: null }]);
});

Deno.test("or the log says how it ended", async () => {
  const { host, answer } = open(() => {
    throw new Error("broken");
  }, { settle: () => Promise.reject(away()) });
  await answer(post({}));
  await host.clock.until(Promise.all(host.work));
  const said = host.lines.map(({ message }) => message);
  assert.deepEqual(said, [
    "the call failed",
    "how the call ended could not be written down",
  ]);
});

Deno.test("a call's handler sees the request's headers, and no keys", async () => {
  let seen: Context | undefined;
  const { host, answer } = open((_payload, context) => void (seen = context));
  await answer(post({}, {
    "x-github-event": "push",
    authorization: "Bearer secret",
    apikey: "secret",
    cookie: "secret",
  }));
  await host.clock.until(Promise.all(host.work));
  assert.equal(seen?.headers?.["x-github-event"], "push");
  assert.doesNotMatch(JSON.stringify(seen?.headers), /secret/);
  assert.deepEqual([seen?.messageId, seen?.attempt, seen?.maxAttempts], [
    null,
    1,
    1,
  ]);
});
