// What a worker does in the course of its life: entering, stopping, handing back,
// leaving.

import assert from "node:assert/strict";
import { lifetime } from "../../orchestra/runtime/edge/boot.ts";
import { Cpu } from "../../orchestra/runtime/edge/cpu.ts";
import { Bench, taking } from "./workbench.ts";

Deno.test("every message is handled once and acknowledged", async () => {
  const bench = new Bench(taking(30));
  bench.queue.sendMany(100);
  await bench.clock.until(bench.work());
  assert.equal(bench.started.length, 100);
  assert.equal(new Set(bench.queue.done).size, 100);
  assert.deepEqual(
    bench.isolate.lines.filter(({ level }) => level !== "debug"),
    [],
  );
  bench.assertEmpty();
});

Deno.test("a moment after it has left, a worker has work looked for", async () => {
  const bench = new Bench(taking(10));
  bench.queue.send(1);
  await bench.clock.until(bench.work());
  assert.equal(bench.queue.looks, 1);
  assert.equal(bench.queue.taken, false);
});

Deno.test("who gets no slot goes again without a turn", async () => {
  for (
    const verdict of ["full", "paused", "drain", "foreign", "unknown"] as const
  ) {
    const bench = new Bench(() => {});
    bench.queue.entry = verdict;
    await bench.clock.until(bench.work());
    assert.deepEqual(bench.queue.calls, ["enter"]);
    const quiet = verdict === "full" || verdict === "paused";
    assert.deepEqual(bench.messages("warn"), quiet ? [] : ["turned away"]);
  }
});

Deno.test("a second worker finds the slot taken", async () => {
  const bench = new Bench(taking(100));
  bench.queue.send(1);
  await bench.clock.until(Promise.all([bench.work(), bench.work()]));
  assert.equal(bench.started.length, 1);
  bench.assertEmpty();
});

Deno.test("at the deadline nothing is taken, what runs is finished", async () => {
  const bench = new Bench(taking(700), {
    config: { handlers: 2, linger_ms: 60_000, timeout_ms: 1_000 },
    life: lifetime(20_000, 0),
  });
  bench.queue.sendMany(200);
  await bench.clock.until(bench.work());
  const now = bench.clock.now();
  assert.ok(now >= 5_000 && now < 5_800, `left at ${now}`);
  bench.assertNothingLost(200);
});

Deno.test("a message that could not be finished in time is not taken", async () => {
  const bench = new Bench(() => {}, {
    life: lifetime(20_000, 0),
    config: { timeout_ms: 15_001 },
  });
  bench.queue.send(1);
  await bench.clock.until(bench.work());
  assert.equal(bench.started.length, 0);
  assert.deepEqual(bench.queue.calls, ["enter", "leave()"]);
});

Deno.test("the longest step counts, not the workload's timeout", async () => {
  const bench = new Bench(() => {}, {
    life: lifetime(20_000, 0),
    config: {
      timeout_ms: 1_000,
      steps: { render: { timeout_ms: 15_001, result: true } },
    },
  });
  bench.queue.send(1);
  await bench.clock.until(bench.work());
  assert.equal(bench.started.length, 0);
});

Deno.test("a spent isolate takes no more, over all its workers", async () => {
  const cpu = new Cpu(2_000);
  cpu.take(100, 5);
  const bench = new Bench(taking(10), {
    config: { cpu_ms: 100, linger_ms: 60_000 },
    cpu,
  });
  bench.queue.sendMany(20);
  await bench.clock.until(bench.work());
  assert.equal(bench.queue.done.length, 5);
  bench.assertLeft();
  assert.ok(bench.clock.now() < 500);
});

Deno.test("lingering costs CPU too, so it ends some time", async () => {
  const bench = new Bench(() => {}, {
    config: { cpu_ms: 5, linger_ms: 10_000_000 },
  });
  await bench.clock.until(bench.work());
  const { length } = bench.queue.turns;
  assert.ok(length > 990 && length < 1_000, `${length} turns`);
  assert.equal(bench.queue.taken, false);
});

Deno.test("told to drain, it hands back what it has not started", async () => {
  const bench = new Bench(taking(20), {
    config: { handlers: 2, batch_size: 10 },
  });
  bench.queue.sendMany(400);
  const working = bench.work();
  await bench.clock.advance(1_000);
  bench.queue.verdict = "drain";
  await bench.clock.until(working);
  assert.ok(bench.queue.backs.length > 0);
  bench.assertNothingLost(400);
});

Deno.test("at a shutdown the hand-back is sent before anything is awaited", async () => {
  const bench = new Bench(taking(40), {
    config: { handlers: 2, batch_size: 10 },
  });
  bench.queue.sendMany(400);
  const working = bench.work();
  await bench.clock.advance(1_010);
  const before = bench.queue.calls.length;
  bench.isolate.shutDown("wall_clock");
  assert.equal(bench.queue.calls.length, before + 1);
  assert.match(bench.queue.calls.at(-1) ?? "", /^leave\(\d+(,\d+)*\)$/);
  await bench.clock.until(working);
  assert.ok(bench.queue.backs.length > 0);
  bench.assertNothingLost(400);
});

Deno.test("a claim that was under way at a shutdown is handed back", async () => {
  const bench = new Bench(() => {});
  bench.queue.latencyMs = 100;
  bench.queue.send(1);
  const working = bench.work();
  await bench.clock.advance(170);
  bench.isolate.shutDown("memory");
  await bench.clock.until(working);
  assert.equal(bench.started.length, 0);
  assert.deepEqual(bench.queue.backs, [{ id: "1", ct: 1 }]);
  assert.equal(bench.queue.taken, false);
});

Deno.test("a suspect has no company", async () => {
  const together: number[] = [];
  const bench = new Bench(async (item, _signal, bench) => {
    if (item.payload === "suspect") together.push(bench.running);
    await bench.sleep(30);
    if (item.payload === "suspect") together.push(bench.running);
  });
  for (let job = 0; job < 30; job++) bench.queue.send("plain");
  bench.queue.send("suspect", { suspect: true });
  for (let job = 0; job < 30; job++) bench.queue.send("plain");
  await bench.clock.until(bench.work());
  assert.deepEqual(together, [1, 1]);
  assert.equal(bench.queue.done.length, 61);
  bench.assertEmpty();
});

Deno.test("under a rate limit only what can start at once is wanted", async () => {
  const bench = new Bench(taking(20), {
    config: { handlers: 4, rate_limited: true },
  });
  bench.queue.sendMany(100);
  await bench.clock.until(bench.work());
  assert.ok(bench.queue.turns.every(({ want }) => want <= 4));
  assert.equal(bench.queue.done.length, 100);
});

Deno.test("a rate limit's wait is sat out, not polled", async () => {
  const bench = new Bench(() => {}, { config: { rate_limited: true } });
  bench.queue.waitMs = 5_000;
  const working = bench.work();
  await bench.clock.advance(4_900);
  assert.equal(bench.queue.turns.length, 1);
  assert.ok(bench.queue.calls.includes("extend"), "the slot is renewed");
  bench.queue.waitMs = null;
  bench.queue.send(1);
  await bench.clock.until(working);
  assert.deepEqual(bench.queue.done, ["1"]);
});

Deno.test("a rate limit's long wait is not waited for", async () => {
  const bench = new Bench(() => {}, { config: { rate_limited: true } });
  bench.queue.waitMs = 31_000;
  await bench.clock.until(bench.work());
  assert.deepEqual(bench.queue.calls, ["enter", "turn", "leave()"]);
});
