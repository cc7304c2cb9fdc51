// How fast a worker is, in simulated time: the database answers after 4 ms.

import assert from "node:assert/strict";
import { Bench, taking } from "./workbench.ts";

Deno.test("2,000 jobs of 20 ms at 10 handlers: over 400 a second", async () => {
  const bench = new Bench(taking(20), { config: { linger_ms: 0 } });
  bench.queue.latencyMs = 4;
  bench.queue.sendMany(2_000);
  await bench.clock.until(bench.work());
  const rate = 2_000 / (bench.clock.now() / 1000);
  assert.equal(bench.queue.done.length, 2_000);
  assert.equal(bench.most, 10);
  assert.ok(rate >= 450, `${rate.toFixed(0)}/s`);
  assert.ok(
    bench.queue.turns.length <= 150,
    `${bench.queue.turns.length} turns`,
  );
  bench.assertEmpty();
});

Deno.test("jobs of no time: most of a batch a turn", async () => {
  const bench = new Bench(() => {}, { config: { linger_ms: 0 } });
  bench.queue.latencyMs = 4;
  bench.queue.sendMany(2_000);
  await bench.clock.until(bench.work());
  assert.ok(
    bench.queue.turns.length <= 80,
    `${bench.queue.turns.length} turns`,
  );
  assert.ok(bench.clock.now() < 400, `${bench.clock.now()} ms`);
});

Deno.test("slow jobs are not hoarded", async () => {
  const bench = new Bench(taking(5_000), { config: { handlers: 2 } });
  bench.queue.sendMany(100);
  const working = bench.work();
  for (let second = 0; second < 20; second++) {
    await bench.clock.advance(1_000);
    assert.ok(bench.queue.held <= 3, `${bench.queue.held} held`);
  }
  bench.isolate.shutDown("termination");
  await bench.clock.until(working);
});

Deno.test("a trickle of 2 a second meets an idle worker", async () => {
  const waits: number[] = [];
  const bench = new Bench((item, _signal, { clock }) => {
    waits.push(clock.now() - (item.payload as number));
  });
  bench.queue.latencyMs = 4;
  const working = bench.work();
  for (let message = 0; message < 40; message++) {
    await bench.clock.advance(487);
    bench.queue.send(bench.clock.now());
  }
  await bench.clock.until(working);
  waits.sort((a, b) => a - b);
  assert.equal(waits.length, 40);
  assert.ok((waits[20] ?? 99) < 50, `p50 ${waits[20]} ms`);
  assert.ok((waits[38] ?? 999) < 100, `p95 ${waits[38]} ms`);
  assert.equal(bench.calls("enter"), 1);
});

Deno.test("a worker lingers as long as it is told, then leaves", async () => {
  const bench = new Bench(() => {}, { config: { linger_ms: 2_000 } });
  bench.queue.send(1);
  await bench.clock.until(bench.work());
  assert.ok(
    Math.abs(bench.clock.now() - 2_000) < 150,
    `${bench.clock.now()} ms`,
  );
  const last = bench.queue.calls.slice(-2);
  assert.deepEqual(last, ["turn", "leave()"]);
});

Deno.test("one that may not linger looks once more and leaves", async () => {
  const bench = new Bench(() => {}, { config: { linger_ms: 0 } });
  bench.queue.send(1);
  await bench.clock.until(bench.work());
  assert.deepEqual(bench.queue.calls, ["enter", "turn", "turn", "leave()"]);
  bench.assertEmpty();
});

Deno.test("what has ended is reported within 50 ms, whatever else runs", async () => {
  const bench = new Bench(
    (item, _signal, bench) => bench.sleep(Number(item.payload)),
    { config: { handlers: 2, batch_size: 2 } },
  );
  bench.queue.send(10);
  bench.queue.send(10_000);
  const working = bench.work();
  await bench.clock.advance(70);
  assert.deepEqual(bench.queue.done, ["1"]);
  await bench.clock.until(working);
  bench.assertEmpty();
});
