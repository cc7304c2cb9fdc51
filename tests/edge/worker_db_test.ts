// Workers on a real database: what becomes of messages when connections break,
// leases run out and isolates end.

import assert from "node:assert/strict";
import { clock, sleep } from "../../orchestra/runtime/edge/clock.ts";
import { enqueue } from "../../orchestra/runtime/edge/enqueue.ts";
import { work } from "../../orchestra/runtime/edge/enter.ts";
import { handlerOfStep } from "../../orchestra/runtime/edge/pipeline.ts";
import { oneHandler } from "../../orchestra/runtime/edge/queue.ts";
import type { Handler } from "../../orchestra/runtime/edge/types.ts";
import { proxied, type RealHost, TestDb } from "./database.ts";

const pause = (ms: number) => sleep(clock, ms);

const aborted = (signal: AbortSignal) =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });

const ANY = { schema: null };

function working(host: RealHost, handler: Handler<never>): Promise<void> {
  return work({ ...host, dispatch: oneHandler(handler, host, ANY) });
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

Deno.test("2,000 jobs at 10 handlers: each one once", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ linger_ms: 0 });
  const host = db.host(workload);
  await db.send(workload, numbers(2_000));
  const seen: number[] = [];
  await working(host, async (payload: number) => {
    await pause(20);
    seen.push(payload);
  });
  assert.deepEqual(seen.toSorted((a, b) => a - b), numbers(2_000));
  assert.equal(await db.depth(workload), 0);
});

Deno.test("a trickle meets the lingering worker, one and the same", async () => {
  await using db = new TestDb();
  const workload = await db.queue();
  const seen: number[] = [];
  const done = working(db.host(workload), (payload: number) => {
    seen.push(payload);
  });
  for (let message = 0; message < 10; message++) {
    await pause(180 + 17 * (message % 5));
    await db.send(workload, [message]);
  }
  await done;
  assert.deepEqual(seen, numbers(10));
});

Deno.test("connections end again and again: nothing is lost, no attempt is spent", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ linger_ms: 0, concurrency: 5 });
  const host = db.host(workload);
  await db.send(workload, numbers(400));
  const attempts: number[] = [];
  const seen = new Map<number, number>();
  let over = false;
  const done = working(host, async (payload: number, { attempt }) => {
    await pause(15);
    attempts.push(attempt);
    seen.set(payload, (seen.get(payload) ?? 0) + 1);
  }).finally(() => over = true);
  let ended = 0;
  for (let round = 0; round < 12 && !over; round++) {
    await pause(100);
    ended += await db.terminate(host.application);
  }
  await done;
  assert.ok(ended >= 5, `${ended} connections ended`);
  assert.equal(seen.size, 400);
  assert.ok([...seen.values()].every((times) => times === 1));
  assert.ok(attempts.every((attempt) => attempt === 1));
  assert.equal(await db.depth(workload), 0);
  assert.deepEqual([...await db.dead(workload)], []);
});

Deno.test("the database is away for three seconds: it goes on where it was", async () => {
  await using db = new TestDb();
  const { proxy, url } = proxied();
  await using _closing = proxy;
  const workload = await db.queue({ linger_ms: 0 });
  await db.send(workload, numbers(600));
  const attempts: number[] = [];
  const seen = new Set<number>();
  const done = working(
    db.host(workload, url),
    async (payload: number, { attempt }) => {
      await pause(20);
      attempts.push(attempt);
      seen.add(payload);
    },
  );
  await pause(400);
  proxy.cut();
  await pause(3_000);
  const before = seen.size;
  proxy.restore();
  await done;
  assert.ok(before < 600, "it was cut too late");
  assert.equal(seen.size, 600);
  assert.equal(attempts.length, 600);
  assert.ok(attempts.every((attempt) => attempt === 1));
  assert.equal(await db.depth(workload), 0);
});

Deno.test("a connection that falls silent is given up, and its turn repeated", async () => {
  await using db = new TestDb();
  const { proxy, url } = proxied();
  await using _closing = proxy;
  const workload = await db.queue({
    linger_ms: 0,
    visibility_timeout_ms: 60_000,
  });
  await db.send(workload, numbers(300));
  const attempts: number[] = [];
  const done = working(
    db.host(workload, url, 1_500),
    async (_payload, { attempt }) => {
      await pause(20);
      attempts.push(attempt);
    },
  );
  await pause(300);
  proxy.silence();
  await done;
  assert.equal(attempts.length, 300);
  assert.ok(attempts.every((attempt) => attempt === 1));
  assert.equal(await db.depth(workload), 0);
});

Deno.test("a handler longer than its lease keeps it", async () => {
  await using db = new TestDb();
  const workload = await db.queue({
    visibility_timeout_ms: 1_500,
    timeout_ms: 10_000,
    linger_ms: 0,
    concurrency: 20,
    per_worker: 10,
  });
  await db.send(workload, [1]);
  let runs = 0;
  const handler = async () => {
    runs++;
    await pause(4_000);
  };
  const other = db.host(workload);
  const first = working(db.host(workload), handler);
  await pause(2_500);
  await working(other, handler);
  await first;
  assert.equal(runs, 1);
  assert.equal(await db.depth(workload), 0);
});

Deno.test("a worker that was believed dead finds its message lost", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ visibility_timeout_ms: 900, linger_ms: 0 });
  const host = db.host(workload);
  await db.send(workload, [1]);
  const reasons: string[] = [];
  await working(host, async (_payload, { signal }) => {
    await db.sql`
      update pgmq.${db.sql(`q_${workload.name}`)} set read_ct = read_ct + 1`;
    while (!signal.aborted) await pause(20);
    reasons.push(String(signal.reason));
  });
  assert.match(reasons[0] ?? "", /its lease was lost/);
  assert.equal(await db.depth(workload), 1);
});

Deno.test("a message lost alone holds up nobody", async () => {
  await using db = new TestDb();
  const workload = await db.queue({
    concurrency: 1,
    max_attempts: 1,
    max_items: 10,
    visibility_timeout_ms: 2_400,
  });
  const host = db.host(workload);
  const items = [{ n: "ends with its run" }, { n: "left of the run" }];
  const { run } = await enqueue(host.doorDb, workload, items, null);
  const seen: string[] = [];
  const held: unknown[] = [];
  await working(host, async ({ n }: { n: string }, { signal }) => {
    seen.push(n);
    if (n === "another") {
      held.push(
        ...await db.sql`
        select cardinality(held) as held from orchestra.slot
        where workload = ${workload.name}`,
      );
      return;
    }
    await db.sql`select orchestra.cancel_run(${run}::bigint)`;
    await db.send(workload, [{ n: "another" }]);
    await aborted(signal);
  });
  assert.deepEqual(seen, ["ends with its run", "another"]);
  assert.deepEqual(held, [{ held: 1 }]);
  const left = await db.sql`
    select token, held from orchestra.slot where workload = ${workload.name}`;
  assert.deepEqual([...left], [{ token: null, held: "{}" }]);
});

Deno.test("failures, timeouts and snoozes come back, or end among the dead", async () => {
  await using db = new TestDb();
  const workload = await db.queue({
    linger_ms: 0,
    timeout_ms: 300,
    max_attempts: 3,
    backoff_initial_ms: 0,
  });
  await db.send(workload, ["fine", "never", "sleeps", "hangs"]);
  const started = new Map<string, number[]>();
  await working(
    db.host(workload),
    async (payload: string, { attempt, signal }) => {
      started.set(payload, [...started.get(payload) ?? [], attempt]);
      if (payload === "never") throw "no error";
      if (payload === "sleeps") {
        await new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason))
        );
      }
      if (payload === "hangs" && attempt === 1) await pause(1_600);
    },
  );
  assert.deepEqual(started.get("fine"), [1]);
  assert.deepEqual(started.get("never"), [1, 2, 3]);
  assert.deepEqual(started.get("sleeps"), [1, 2, 3]);
  assert.deepEqual(started.get("hangs"), [1, 2]);
  const dead = await db.dead(workload);
  assert.deepEqual(
    dead.map(({ attempts, reason, error }) => [attempts, reason, error])
      .toSorted(),
    [
      [3, "exhausted", "threw what is no error: no error"],
      [3, "exhausted", "timed out after 300 ms"],
    ],
  );
});

Deno.test("a shutdown hands back what has not been started, at no attempt", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ concurrency: 2 });
  const host = db.host(workload);
  await db.send(workload, numbers(300));
  let finished = 0;
  const done = working(host, async () => {
    await pause(20);
    finished++;
  });
  await pause(400);
  host.shutDown("wall_clock");
  await done;
  assert.ok(finished > 10);
  assert.equal(await db.depth(workload), 300 - finished);
  const attempts: number[] = [];
  await working(
    db.host(workload),
    (_payload, { attempt }) => void attempts.push(attempt),
  );
  assert.equal(attempts.length, 300 - finished);
  assert.ok(attempts.every((attempt) => attempt === 1));
});

Deno.test("several isolates: every message once, never more handlers than allowed", async () => {
  await using db = new TestDb();
  const workload = await db.queue({
    concurrency: 6,
    per_worker: 2,
    batch_size: 10,
    linger_ms: 200,
  });
  await db.send(workload, numbers(300));
  const seen: number[] = [];
  let running = 0;
  let most = 0;
  const handler = async (payload: number) => {
    most = Math.max(most, ++running);
    await pause(Math.random() * 20);
    running--;
    seen.push(payload);
  };
  await Promise.all(numbers(5).map(() => working(db.host(workload), handler)));
  assert.equal(seen.length, 300);
  assert.equal(new Set(seen).size, 300);
  assert.ok(most > 2 && most <= 6, `${most} at once`);
});

Deno.test("a handler uses the database; its transactions are in nobody's way", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ linger_ms: 0 });
  await db.send(workload, numbers(20));
  const sums: number[] = [];
  await working(db.host(workload), async (payload: number, { sql }) => {
    await sql.begin(async (transaction) => {
      const [row] = await transaction<{ sum: number }[]>`
        select ${payload}::int + 1 as sum, pg_sleep(0.02)`;
      sums.push(row?.sum ?? NaN);
    });
  });
  assert.deepEqual(
    sums.toSorted((a, b) => a - b),
    numbers(20).map((n) => n + 1),
  );
});

Deno.test("a pipeline: collect, a render for each, publish once", async () => {
  await using db = new TestDb();
  const steps = [
    { name: "collect", depends_on: [], timeout_ms: 5_000 },
    {
      name: "render",
      depends_on: ["collect"],
      map: "collect",
      timeout_ms: 5_000,
    },
    { name: "publish", depends_on: ["render"], timeout_ms: 5_000 },
  ];
  const workload = await db.queue({ steps, linger_ms: 500 });
  const host = db.host(workload);
  await db.send(workload, [{ pages: 40 }]);
  const published: unknown[] = [];
  const indexes: number[] = [];
  await work({
    ...host,
    dispatch: handlerOfStep(
      {
        collect: ({ pages }: { pages: number }) =>
          numbers(pages).map((page) => ({ page })),
        render: ({ page }: { page: number }, { run }) => {
          indexes.push(run?.index ?? -1);
          return `<p>${page}</p>`;
        },
        publish: (answers: Record<string, unknown>) =>
          void published.push(answers),
      },
      host,
      ANY,
    ),
  });
  assert.deepEqual(indexes.toSorted((a, b) => a - b), numbers(40));
  assert.equal(published.length, 1);
  assert.deepEqual(published[0], {
    render: numbers(40).map((page) => `<p>${page}</p>`),
  });
  const [run] = await db.sql<{ status: string }[]>`
    select status from orchestra.run where workload = ${workload.name}`;
  assert.equal(run?.status, "done");
});
