// What comes in by HTTP, into a real database: enqueued all or none, accepted and
// settled, secrets from Vault.

import assert from "node:assert/strict";
import { callFunction } from "../../orchestra/runtime/edge/call.ts";
import { enqueue } from "../../orchestra/runtime/edge/enqueue.ts";
import { ledger } from "../../orchestra/runtime/edge/ledger.ts";
import { Refusal } from "../../orchestra/runtime/edge/respond.ts";
import type {
  CallWorkload,
  Context,
} from "../../orchestra/runtime/edge/types.ts";
import { vault } from "../../orchestra/runtime/edge/vault.ts";
import { TestDb } from "./database.ts";
import { post, read } from "./requests.ts";

const status = (code: number) => (error: unknown) =>
  error instanceof Refusal && error.status === code;

Deno.test("one item is a message, several are a run", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ max_items: 5_000 });
  const { db: database } = db.host(workload);
  const one = await enqueue(database, workload, [{ n: 1 }], null);
  assert.equal(one.ids.length, 1);
  assert.equal(one.run, null);
  const items = Array.from(
    { length: 2_500 },
    (_, n) => ({ n, text: `"{${n},\\}"` }),
  );
  const many = await enqueue(database, workload, items, "user-1");
  assert.equal(many.ids.length, 2_500);
  assert.match(many.run ?? "", /^\d+$/);
  const [run] = await db.sql<{ caller: string; total: number }[]>`
    select r.caller, s.total
    from orchestra.run r join orchestra.step s on s.run = r.id
    where r.id = ${many.run}::bigint`;
  assert.deepEqual({ ...run }, { caller: "user-1", total: 2_500 });
  const rows = await db.sql<{ id: string; message: unknown }[]>`
    select msg_id::text as id, message
    from pgmq.${db.sql(`q_${workload.name}`)} order by msg_id`;
  assert.deepEqual(rows.map(({ id }) => id), [...one.ids, ...many.ids]);
  assert.deepEqual(rows.slice(1).map(({ message }) => message), items);
});

Deno.test("all or none, also over chunks", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ max_items: 5_000 });
  const { db: database } = db.host(workload);
  const items = Array.from({ length: 2_500 }, (_, n) => ({ n }));
  await db.sql.unsafe(
    `alter table pgmq.q_${workload.name} add check ((message->>'n')::int <> 2400)`,
  );
  await assert.rejects(
    enqueue(database, workload, items, null),
    /check constraint/,
  );
  assert.equal(await db.depth(workload), 0);
  const [runs] = await db.sql<{ count: number }[]>`
    select count(*)::int as count from orchestra.run where workload = ${workload.name}`;
  assert.equal(runs?.count, 0);
});

Deno.test("what the database knows better is refused", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ max_items: 2 });
  const { db: database } = db.host(workload);
  await assert.rejects(
    enqueue(database, workload, [1, 2, 3], null),
    status(413),
  );
  const unknown = db.workload("none");
  await assert.rejects(enqueue(database, unknown, [1], null), status(503));
});

Deno.test("6 MB in one item, 20 MB in many", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ max_items: 5_000 });
  const { db: database } = db.host(workload);
  await enqueue(
    database,
    workload,
    [{ text: "é".repeat(3 * 1024 * 1024) }],
    null,
  );
  const items = Array.from(
    { length: 2_000 },
    () => ({ text: "x".repeat(10_000) }),
  );
  await enqueue(database, workload, items, null);
  assert.equal(await db.depth(workload), 2_001);
});

Deno.test("connections that died while they idled are not the caller's trouble", async () => {
  await using db = new TestDb();
  const workload = await db.queue();
  const { db: database, application } = db.host(workload);
  for (let round = 0; round < 5; round++) {
    const { ids } = await enqueue(database, workload, [round], null);
    assert.equal(ids.length, 1);
    assert.ok(await db.terminate(application) > 0);
  }
  assert.equal(await db.depth(workload), 5);
});

Deno.test("a call is in the ledger before its answer, and settled behind it", async () => {
  await using db = new TestDb();
  const workload = await db.call();
  const host = db.host(workload);
  const work: Promise<unknown>[] = [];
  const open = (handler: (payload: never, context: Context) => unknown) =>
    callFunction({
      workload: workload as CallWorkload,
      handler,
      gate: () => Promise.resolve(null),
      validate: () => [],
      ledger: ledger(host.db, workload),
      host: { ...host, background: (promise) => void work.push(promise) },
    });
  const entry = async (id: string | null) => {
    const [row] = await db.sql`
      select status, payload, error, code from orchestra.call where id = ${id}::bigint`;
    return { ...row };
  };

  let release = () => {};
  const first = await open(() =>
    new Promise<void>((resolve) => release = resolve)
  )(
    post({ event: "paid" }),
  );
  assert.deepEqual(await read(first.clone()), [200, { status: "accepted" }]);
  const id = first.headers.get("x-orchestra-call");
  const running = {
    status: "running",
    payload: { event: "paid" },
    error: null,
    code: null,
  };
  assert.deepEqual(await entry(id), running);
  release();
  await Promise.all(work);
  assert.deepEqual(await entry(id), { ...running, status: "done" });

  const second = await open(() => {
    throw new Error("the CRM said no");
  })(post([]));
  await Promise.all(work);
  const failed = await entry(second.headers.get("x-orchestra-call"));
  assert.equal(failed["status"], "failed");
  assert.match(String(failed["error"]), /^Error: the CRM said no/);

  const third = await open(() => new Promise(() => {}))(post([]));
  await Promise.all(work);
  const late = await entry(third.headers.get("x-orchestra-call"));
  assert.deepEqual([late["status"], late["code"]], ["failed", "timeout"]);

  await db
    .sql`update orchestra.workload set paused = true where name = ${workload.name}`;
  assert.equal((await open(() => {})(post([]))).status, 503);
});

// The role of a project may read secrets and not always make them, so whoever
// prepares the database has put this one there.
Deno.test("a webhook's secret comes from Vault", async () => {
  await using db = new TestDb();
  const host = db.host(db.workload("x"));
  const secrets = vault(host.db, host.clock);
  assert.equal(await secrets("edge_test_hook"), "hush");
  await assert.rejects(secrets("missing"), /Vault has no secret missing/);
});
