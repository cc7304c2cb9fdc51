// The worker's protocol against the real functions.

import assert from "node:assert/strict";
import { Database } from "../../orchestra/runtime/edge/db.ts";
import { isTransient, NoAnswer } from "../../orchestra/runtime/edge/faults.ts";
import { hostOf } from "../../orchestra/runtime/edge/host.ts";
import type {
  Protocol,
  Slot,
  Turn,
  TurnReply,
} from "../../orchestra/runtime/edge/protocol.ts";
import { TestDb, URL_OF_TESTS } from "./database.ts";
import { environment } from "./requests.ts";

const NOTHING: Omit<Turn, "seq"> = {
  acks: [],
  results: new Map(),
  fails: [],
  backs: [],
  want: 0,
};

class Worker {
  #seq = 0;
  private constructor(readonly protocol: Protocol, readonly slot: Slot) {}

  static async enter(protocol: Protocol): Promise<Worker> {
    const entered = await protocol.enter();
    assert.equal(entered.verdict, "go");
    return entered.verdict === "go"
      ? new Worker(protocol, entered.slot)
      : assert.fail();
  }

  turn(turn: Partial<Turn>, again = false): Promise<TurnReply> {
    if (!again) this.#seq++;
    return this.protocol.turn(this.slot, {
      ...NOTHING,
      seq: this.#seq,
      ...turn,
    });
  }
}

Deno.test("a worker enters with its limits; a second one finds it full", async () => {
  await using db = new TestDb();
  const workload = await db.queue({
    concurrency: 4,
    batch_size: 7,
    linger_ms: 1_234,
  });
  const { protocol } = db.host(workload);
  const entered = await protocol.enter();
  assert.equal(entered.verdict, "go");
  if (entered.verdict !== "go") return;
  assert.equal(entered.slot.slot, 1);
  assert.match(entered.slot.token, /^[0-9a-f-]{36}$/);
  assert.deepEqual(entered.config, {
    handlers: 4,
    batch_size: 7,
    timeout_ms: 10_000,
    visibility_timeout_ms: 30_000,
    linger_ms: 1_234,
    cpu_ms: 0,
    max_attempts: 5,
    rate_limited: false,
    steps: null,
  });
  assert.deepEqual(await protocol.enter(), { verdict: "full" });
  await protocol.leave(entered.slot, []);
  assert.equal((await protocol.enter()).verdict, "go");
});

Deno.test("a URL that cannot be read is not shown, for its password is in it", async () => {
  for (const password of ["hun/ter2", "hun#ter2", "hun?ter2", "hun%ter2"]) {
    const url = `postgresql://postgres:${password}@localhost:5432/postgres`;
    const db = new Database({ url, name: "tests", max: 1 });
    await assert.rejects(
      () => db.call((sql) => sql`select 1`),
      (error: Error) =>
        /percent-encoded/.test(error.message) &&
        !Deno.inspect(error).includes("hun"),
    );
  }
});

Deno.test("other versions, other workloads", async () => {
  await using db = new TestDb();
  const workload = await db.queue();
  const older = db.host({ ...workload, contract: "ffffffffffffffff" });
  assert.deepEqual(await older.protocol.enter(), { verdict: "foreign" });
  const none = db.host(db.workload("none"));
  assert.deepEqual(await none.protocol.enter(), { verdict: "unknown" });
});

Deno.test("payloads arrive as they were sent", async () => {
  await using db = new TestDb();
  const workload = await db.queue();
  const payloads = [
    {
      text: "Ünïcödé 😀 \\ \" ' {} \u2028",
      n: 1.5,
      deep: { list: [1, [2, [null]]] },
    },
    "text",
    0,
    false,
    null,
    [],
    { '{"a",NULL}': "{1,2}" },
  ];
  await db.send(workload, payloads);
  const worker = await Worker.enter(db.host(workload).protocol);
  const { handouts, verdict, waitMs, alone, late } = await worker.turn({
    want: 10,
  });
  assert.deepEqual([verdict, waitMs, alone, late], ["go", null, false, []]);
  assert.deepEqual(handouts.map(({ payload }) => payload), payloads);
  assert.ok(handouts.every(({ ct, attempt }) => ct === 1 && attempt === 1));
  assert.ok(handouts.every(({ id }) => typeof id === "string"));
});

Deno.test("what is reported again after a lost answer is refunded once", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ max_attempts: 2 });
  await db.send(workload, ["given back", "snoozed"]);
  const { protocol } = db.host(workload);
  const first = await Worker.enter(protocol);
  const [back, snooze] = (await first.turn({ want: 2 })).handouts;
  assert.ok(back && snooze);
  await protocol.leave(first.slot, [back]);
  await protocol.leave(first.slot, [back]);
  // Who has lost the slot has no turns to number.
  await db.sql`
    update orchestra.slot set token = null where workload = ${workload.name}`;
  const fails = [{ ...snooze, error: "", code: null, snooze_ms: 0 }];
  assert.deepEqual((await first.turn({ fails })).late, []);
  assert.deepEqual((await first.turn({ fails })).late, [snooze.id]);
  const second = await Worker.enter(protocol);
  const { handouts } = await second.turn({ want: 2 });
  assert.deepEqual(
    handouts.map(({ payload, ct, attempt }) => [payload, ct, attempt]),
    [["given back", 2, 1], ["snoozed", 2, 1]],
  );
});

Deno.test("every kind of report has its effect", async () => {
  await using db = new TestDb();
  const workload = await db.queue();
  await db.send(workload, ["ack", "fail", "permanent", "snooze", "back"]);
  const worker = await Worker.enter(db.host(workload).protocol);
  const { handouts } = await worker.turn({ want: 5 });
  const [ack, fail, permanent, snooze, back] = handouts;
  assert.ok(ack && fail && permanent && snooze && back);
  const told = { error: 'it\'s "broken"\n{1,2}', snooze_ms: null };
  const reply = await worker.turn({
    acks: [ack],
    fails: [
      { ...fail, ...told, code: "timeout" },
      { ...permanent, ...told, code: "ORC01" },
      { ...snooze, ...told, code: null, snooze_ms: 60_000 },
    ],
    backs: [back],
  });
  assert.deepEqual(reply.late, []);
  assert.equal(await db.depth(workload), 3);
  const dead = await db.dead(workload);
  assert.equal(dead.length, 1);
  assert.equal(dead[0]?.["reason"], "permanent");
  assert.equal(dead[0]?.["error"], told.error);
  const again = await worker.turn({ want: 5 });
  assert.deepEqual(
    again.handouts.map(({ payload, ct, attempt }) => [payload, ct, attempt]),
    [["back", 2, 1]],
  );
});

Deno.test("the same turn again answers the same claim", async () => {
  await using db = new TestDb();
  const workload = await db.queue();
  await db.send(workload, [1, 2, 3, 4]);
  const worker = await Worker.enter(db.host(workload).protocol);
  const first = await worker.turn({ want: 2 });
  const again = await worker.turn({ want: 2 }, true);
  const ids = (reply: TurnReply) =>
    reply.handouts.map(({ id, ct }) => `${id}/${ct}`).sort();
  assert.deepEqual(ids(again), ids(first));
  await assert.rejects(
    worker.protocol.turn(worker.slot, { ...NOTHING, seq: 9 }),
    (error) => !isTransient(error),
  );
});

Deno.test("what another has had since is late, and lost when it is renewed", async () => {
  await using db = new TestDb();
  const workload = await db.queue();
  await db.send(workload, [1, 2]);
  const worker = await Worker.enter(db.host(workload).protocol);
  const { handouts } = await worker.turn({ want: 2 });
  const [first, second] = handouts;
  assert.ok(first && second);
  await db.sql`
    update pgmq.${db.sql(`q_${workload.name}`)} set read_ct = 7
    where msg_id = ${first.id}`;
  assert.deepEqual(await worker.protocol.extend(worker.slot, handouts), [
    first.id,
  ]);
  assert.deepEqual(await worker.protocol.extend(worker.slot, []), []);
  const reply = await worker.turn({ acks: handouts });
  assert.deepEqual(reply.late, [first.id]);
  assert.equal(await db.depth(workload), 1);
});

Deno.test("thousands of reports fit into one turn", async () => {
  await using db = new TestDb();
  const workload = await db.queue({ batch_size: 3_000 });
  await db.send(workload, Array.from({ length: 3_000 }, (_, i) => i));
  const worker = await Worker.enter(db.host(workload).protocol);
  const { handouts } = await worker.turn({ want: 3_000 });
  assert.equal(handouts.length, 3_000);
  await worker.turn({ acks: handouts });
  assert.equal(await db.depth(workload), 0);
});

Deno.test("a call that is not answered is given up, and the next one works", async () => {
  await using db = new TestDb();
  const { db: database } = db.host(db.workload("x"));
  await assert.rejects(
    database.call((sql) => sql`select pg_sleep(30)`, 300),
    (error) => error instanceof NoAnswer && isTransient(error),
  );
  const [row] = await database.call((sql) => sql`select 1 as one`);
  assert.equal(row?.["one"], 1);
});

Deno.test("requests that take long hold up no worker", async () => {
  await using db = new TestDb();
  const host = hostOf(
    await db.queue(),
    environment({ ORCHESTRA_DB_URL: URL_OF_TESTS }),
  );
  const holder = await db.sql.reserve();
  await holder`select pg_advisory_lock(4713)`;
  const long = Array.from(
    { length: 4 },
    () =>
      host.doorDb.transaction((sql) =>
        sql`select pg_advisory_xact_lock_shared(4713)`
      ),
  );
  const worker = await Worker.enter(host.protocol);
  assert.equal((await worker.turn({ want: 1 })).verdict, "go");
  await holder`select pg_advisory_unlock(4713)`;
  holder.release();
  await Promise.all(long);
  await Promise.all([host.db.close(), host.doorDb.close()]);
});

Deno.test("faults of the server are told apart", async () => {
  await using db = new TestDb();
  const { db: database, application } = db.host(db.workload("x"));
  const fails = async (query: string): Promise<unknown> => {
    try {
      await database.call((sql) => sql.unsafe(query));
    } catch (error) {
      return error;
    }
    return assert.fail(`${query} did not fail`);
  };
  assert.ok(!isTransient(await fails("select no_such_column")));
  assert.ok(!isTransient(await fails("select orchestra.no_such_function()")));
  assert.ok(
    isTransient(await fails("set statement_timeout = 50; select pg_sleep(5)")),
  );
  const broken = fails("select pg_sleep(5)");
  while (await db.terminate(application) === 0);
  assert.ok(isTransient(await broken));
});
