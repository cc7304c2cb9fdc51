// A worker whose database is away, whose replies are lost, whose leases are over,
// whose handlers do what they should not.

import assert from "node:assert/strict";
import { Permanent, Snooze } from "../../orchestra/runtime/edge/errors.ts";
import { lifetime } from "../../orchestra/runtime/edge/boot.ts";
import { away } from "./fake_queue.ts";
import { Bench, taking } from "./workbench.ts";

Deno.test("a turn whose reply was lost is the same turn again", async () => {
  const bench = new Bench(taking(20));
  let calls = 0;
  bench.queue.after = (call) => {
    if (call === "turn" && ++calls % 3 === 0) throw away();
  };
  bench.queue.sendMany(300);
  await bench.clock.until(bench.work());
  assert.equal(bench.started.length, 300);
  assert.equal(bench.queue.done.length, 300);
  assert.ok(bench.started.every(({ ct }) => ct === 1));
  assert.ok(bench.messages("warn").includes("a turn is repeated"));
  bench.assertEmpty();
});

Deno.test("while the database is away, handlers go on and are reported later", async () => {
  const bench = new Bench(taking(3_000));
  bench.queue.sendMany(10);
  const working = bench.work();
  await bench.clock.advance(1_000);
  bench.queue.before = () => {
    throw away();
  };
  await bench.clock.advance(30_000);
  assert.equal(bench.running, 0);
  bench.queue.before = () => {};
  await bench.clock.until(working);
  assert.equal(bench.queue.done.length, 10);
  bench.assertEmpty();
});

Deno.test("what was done stays good when only the lease was over meanwhile", async () => {
  const bench = new Bench(taking(1_000), {
    config: { visibility_timeout_ms: 10_000 },
  });
  bench.queue.send(1);
  const working = bench.work();
  await bench.clock.advance(500);
  bench.queue.before = () => {
    throw away();
  };
  await bench.clock.advance(20_000);
  bench.queue.before = () => {};
  await bench.clock.until(working);
  assert.deepEqual(bench.queue.done, ["1"]);
});

Deno.test("an error that repeating cannot mend ends the worker", async () => {
  const bench = new Bench((_item, signal, bench) =>
    Promise.race([
      bench.sleep(15_000),
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      ),
    ])
  );
  bench.queue.send(1);
  bench.queue.send(2);
  const working = bench.work();
  await bench.clock.advance(1_000);
  bench.queue.before = (call) => {
    if (call === "turn") {
      throw Object.assign(new Error("no"), { code: "42883" });
    }
  };
  await bench.clock.until(working);
  assert.deepEqual(bench.messages("error"), ["a worker gives up"]);
  assert.equal(bench.running, 0);
});

Deno.test("a claim that fails costs no report, nor what has ended meanwhile", async () => {
  const bench = new Bench((item, _signal, bench) => {
    return bench.sleep(item.payload === 0 ? 100 : 111);
  }, { config: { handlers: 2 } });
  bench.queue.sendMany(2);
  bench.queue.latencyMs = 20;
  const working = bench.work();
  let failed = 0;
  bench.queue.before = (call) => {
    if (call === "turn" && bench.queue.turns.length > 0 && failed++ === 0) {
      throw Object.assign(new Error("no"), { code: "42883" });
    }
  };
  await bench.clock.until(working);
  assert.deepEqual(bench.queue.done, ["1", "2"]);
  assert.deepEqual(bench.messages("error"), ["a worker gives up"]);
  assert.deepEqual(bench.queue.turns.slice(1).map(({ want }) => want), [0, 0]);
});

Deno.test("entering is tried again", async () => {
  const bench = new Bench(() => {});
  let calls = 0;
  bench.queue.before = (call) => {
    if (call === "enter" && ++calls < 4) throw away();
  };
  bench.queue.send(1);
  await bench.clock.until(bench.work());
  assert.deepEqual(bench.queue.done, ["1"]);
});

Deno.test("a lease is renewed for as long as its handler runs", async () => {
  const bench = new Bench(taking(19_000), {
    config: { visibility_timeout_ms: 6_000, handlers: 2 },
  });
  bench.queue.sendMany(4);
  await bench.clock.until(bench.work());
  const extended = bench.calls("extend");
  assert.ok(extended >= 18 && extended <= 26, `${extended}`);
  assert.equal(bench.started.length, 4);
  assert.equal(bench.queue.done.length, 4);
});

Deno.test("leases are renewed every 10 s at least, however long they are", async () => {
  const bench = new Bench(taking(61_000), {
    config: { visibility_timeout_ms: 600_000, timeout_ms: 100_000 },
  });
  bench.queue.send(1);
  await bench.clock.until(bench.work());
  const extended = bench.calls("extend");
  assert.ok(extended >= 5, `${extended}`);
});

Deno.test("a lost lease aborts its handler, and nothing is reported", async () => {
  const reasons: unknown[] = [];
  const bench = new Bench(async (_item, signal, bench) => {
    for (let second = 0; second < 15; second++) {
      await bench.sleep(1_000);
      if (signal.aborted) {
        reasons.push(signal.reason);
        return;
      }
    }
  }, { config: { visibility_timeout_ms: 30_000 } });
  bench.queue.send(1);
  bench.queue.send(2);
  const working = bench.work();
  await bench.clock.advance(9_000);
  bench.queue.lost = ["1"];
  await bench.clock.advance(4_000);
  assert.match(String(reasons[0]), /message 1: its lease was lost/);
  await bench.clock.until(working);
  assert.equal(reasons.length, 1);
  assert.deepEqual(bench.queue.done, ["2"]);
});

Deno.test("a lease that cannot be renewed in time aborts its handler", async () => {
  let reason: unknown;
  const bench = new Bench(async (_item, signal, bench) => {
    while (!signal.aborted) await bench.sleep(100);
    reason = signal.reason;
  }, { config: { visibility_timeout_ms: 5_000 } });
  bench.queue.send(1);
  bench.queue.before = (call) => {
    if (call === "extend") throw away();
  };
  const working = bench.work();
  await bench.clock.advance(4_900);
  assert.equal(reason, undefined);
  await bench.clock.advance(700);
  assert.match(String(reason), /its lease ran out/);
  bench.queue.before = () => {};
  bench.queue.takeOver();
  await bench.clock.until(working);
  assert.deepEqual(bench.queue.done, []);
});

Deno.test("a lease runs out while its renewal hangs, and is noticed", async () => {
  let reason: unknown;
  const bench = new Bench(async (_item, signal, bench) => {
    bench.queue.latencyMs = 10_000;
    while (!signal.aborted) await bench.sleep(100);
    reason = signal.reason;
  }, { config: { visibility_timeout_ms: 5_000 } });
  bench.queue.send(1);
  const working = bench.work();
  await bench.clock.advance(4_900);
  assert.equal(reason, undefined);
  await bench.clock.advance(700);
  assert.equal(bench.calls("extend"), 1);
  assert.match(String(reason), /its lease ran out/);
  await bench.clock.until(working);
});

Deno.test("what is acknowledged while its renewal is under way was not lost", async () => {
  const bench = new Bench(async (_item, _signal, bench) => {
    bench.queue.latencyMs = 1_000;
    while (bench.calls("extend") === 0) await bench.sleep(10);
    bench.queue.latencyMs = 2;
  }, { config: { visibility_timeout_ms: 6_000 } });
  bench.queue.send(1);
  await bench.clock.until(bench.work());
  assert.deepEqual(bench.queue.done, ["1"]);
  assert.deepEqual(bench.messages("warn"), []);
});

Deno.test("who has lost the slot aborts everything and does not leave it", async () => {
  const bench = new Bench(async (item, signal, bench) => {
    for (let time = 0; time < Number(item.payload); time += 100) {
      await bench.sleep(100);
      signal.throwIfAborted();
    }
  }, { config: { handlers: 2 } });
  bench.queue.send(500);
  bench.queue.send(15_000);
  const working = bench.work();
  await bench.clock.advance(300);
  bench.queue.takeOver();
  await bench.clock.until(working);
  assert.ok(!bench.queue.calls.some((call) => call.startsWith("leave")));
  assert.deepEqual(bench.queue.done, ["1"], "still settled: nobody has had it");
  await bench.clock.advance(200);
  assert.equal(bench.running, 0);
});

Deno.test("who has lost the slot reports what has ended, and gives back the rest", async () => {
  let aborted = 0;
  const bench = new Bench(async (_item, signal, bench) => {
    await bench.sleep(20);
    if (signal.aborted) aborted++;
  }, { config: { handlers: 2 } });
  bench.queue.latencyMs = 20;
  bench.queue.sendMany(100);
  const working = bench.work();
  await bench.clock.advance(500);
  bench.queue.takeOver();
  await bench.clock.until(working);
  const { done, backs } = bench.queue;
  const started = new Set(bench.started.map(({ id }) => id));
  assert.deepEqual(bench.messages("warn"), ["the slot was lost"]);
  assert.equal(done.length, started.size - aborted);
  assert.ok(aborted <= 2, `${aborted}`);
  assert.ok(backs.length > 0 && backs.every(({ id }) => !started.has(id)));
});

Deno.test("whatever a handler throws is a verdict", async () => {
  const throwing: Record<string, () => unknown> = {
    "an error": () => {
      throw new Error("plain");
    },
    "undefined": () => Promise.reject(),
    "null": () => {
      throw null;
    },
    "a string": () => {
      throw "text";
    },
    "a thenable": () => ({
      then(_resolve: unknown, reject: (why: unknown) => void) {
        reject("refused");
      },
    }),
    "a bad getter": () => ({
      get then() {
        throw new Error("no then");
      },
    }),
  };
  const bench = new Bench((item) => throwing[String(item.payload)]?.());
  for (const kind of Object.keys(throwing)) bench.queue.send(kind);
  bench.queue.send("nothing at all");
  await bench.clock.until(bench.work());
  assert.equal(bench.queue.failures.length, 6);
  assert.deepEqual(bench.queue.done, ["7"]);
  bench.queue.failures.sort((a, b) => Number(a.id) - Number(b.id));
  const errors = bench.queue.failures.map(({ error }) => error.split("\n")[0]);
  assert.deepEqual(errors, [
    "Error: plain",
    "threw what is no error: undefined",
    "threw what is no error: null",
    "threw what is no error: text",
    "threw what is no error: refused",
    "Error: no then",
  ]);
  assert.ok(bench.queue.failures.every(({ code }) => code === null));
});

Deno.test("a permanent failure and a snooze say so", async () => {
  const bench = new Bench((item) => {
    throw item.payload === 1
      ? new Permanent("never")
      : new Snooze("10m", "later");
  });
  bench.queue.send(1);
  bench.queue.send(2);
  await bench.clock.until(bench.work());
  const [permanent, snooze] = bench.queue.failures;
  assert.equal(permanent?.code, "ORC01");
  assert.match(permanent?.error ?? "", /^Permanent: never/);
  assert.equal(permanent?.snooze_ms, null);
  assert.equal(snooze?.code, null);
  assert.equal(snooze?.snooze_ms, 600_000);
});

Deno.test("a handler is told its timeout and its own words are kept", async () => {
  const bench = new Bench(async (item, signal, bench) => {
    while (!signal.aborted) await bench.sleep(50);
    if (item.payload === "obeys") signal.throwIfAborted();
    if (item.payload === "cleans up") throw new Error("half written");
    if (item.payload === "gives up") throw new Permanent("will never do");
  }, { timeoutMs: 1_000 });
  for (const kind of ["obeys", "cleans up", "gives up", "finishes"]) {
    bench.queue.send(kind);
  }
  await bench.clock.until(bench.work());
  const [obeys, cleans, gives] = bench.queue.failures;
  assert.equal(obeys?.error, "timed out after 1000 ms");
  assert.equal(obeys?.code, "timeout");
  assert.match(
    cleans?.error ?? "",
    /^timed out after 1000 ms\nthen Error: half written/,
  );
  assert.equal(cleans?.code, "timeout");
  assert.equal(gives?.code, "ORC01");
  assert.deepEqual(bench.queue.done, ["4"], "done within the grace is done");
});

Deno.test("a handler that never ends gets its verdict and keeps its place", async () => {
  const bench = new Bench(
    (item, _signal, bench) =>
      item.payload === "stuck" ? new Promise(() => {}) : bench.sleep(10),
    {
      config: { handlers: 3, linger_ms: 1_000 },
      timeoutMs: 2_000,
      life: lifetime(60_000, 0),
    },
  );
  bench.queue.send("stuck");
  bench.queue.send("stuck");
  const working = bench.work();
  await bench.clock.advance(3_500);
  assert.deepEqual(
    bench.queue.failures.map(({ id, error }) => [id, error]),
    [["1", "timed out after 2000 ms"], ["2", "timed out after 2000 ms"]],
  );
  // One place is left; the other two are still in use.
  bench.most = 0;
  bench.queue.sendMany(20);
  await bench.clock.advance(3_000);
  assert.equal(bench.queue.done.length, 20);
  assert.equal(bench.most, 3);
  // The slot is kept and renewed until the deadline, then left.
  assert.equal(bench.queue.taken, true);
  await bench.clock.until(working);
  assert.ok(Math.abs(bench.clock.now() - 25_000) < 250, `${bench.clock.now()}`);
  assert.equal(bench.queue.taken, false);
  assert.equal(
    bench.messages("warn").filter((m) => /goes on after its timeout/.test(m))
      .length,
    2,
  );
});

Deno.test("with every place stuck the slot is renewed, and nothing claimed", async () => {
  const bench = new Bench(() => new Promise(() => {}), {
    config: { handlers: 1 },
    timeoutMs: 1_000,
    life: lifetime(60_000, 0),
  });
  bench.queue.send("stuck");
  const working = bench.work();
  await bench.clock.advance(3_000);
  bench.queue.send("waits");
  const turns = bench.queue.turns.length;
  await bench.clock.advance(10_000);
  assert.equal(bench.queue.turns.length, turns);
  assert.ok(bench.calls("extend") >= 6);
  await bench.clock.until(working);
  assert.equal(bench.started.length, 1);
});

Deno.test("a stuck handler that ends after all frees its place", async () => {
  const bench = new Bench(taking(6_000), {
    config: { handlers: 1, linger_ms: 0 },
    timeoutMs: 1_000,
  });
  bench.queue.send(1);
  const working = bench.work();
  await bench.clock.advance(2_500);
  assert.equal(bench.queue.failures.length, 1);
  await bench.clock.until(working);
  assert.ok(bench.clock.now() < 6_250, `${bench.clock.now()}`);
});

Deno.test("answers are kept where they are wanted, and only what can be", async () => {
  const answers: Record<string, unknown> = {
    object: { a: [1, "zwei"] },
    nothing: undefined,
    zero: "a\0b",
    cycle: globalThis,
    big: 5n,
  };
  const bench = new Bench((item) => answers[String(item.payload)], {
    keepsResult: true,
  });
  for (const kind of Object.keys(answers)) bench.queue.send(kind);
  await bench.clock.until(bench.work());
  assert.deepEqual([...bench.queue.results], [["1", '{"a":[1,"zwei"]}'], [
    "2",
    "null",
  ]]);
  assert.deepEqual(bench.queue.done, ["1", "2"]);
  assert.equal(bench.queue.failures.length, 3);
  for (const { error } of bench.queue.failures) {
    assert.match(error, /^Error: its answer cannot be kept\n/);
    assert.match(error, /caused by: TypeError/);
  }
});
