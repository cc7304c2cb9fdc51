// pg-boss's own fetch and complete, a hundred at a time: node pg-boss.mjs setup|fill|drain URL [NUMBER]
import { createInterface } from "node:readline";
import { PgBoss } from "pg-boss";

const QUEUE = "bench";
const BATCH = 100;
const [verb, connectionString, number = "0"] = process.argv.slice(2);

const boss = new PgBoss({ connectionString, supervise: false, schedule: false, migrate: verb === "setup" });
boss.on("error", (error) => {
  throw error;
});
await boss.start();

if (verb === "setup") {
  await boss.createQueue(QUEUE);
} else if (verb === "fill") {
  for (let from = 1; from <= Number(number); from += 1000) {
    const length = Math.min(1000, Number(number) - from + 1);
    const jobs = Array.from({ length }, (_, i) => ({ data: { id: from + i, body: "x".repeat(80) } }));
    await boss.insert(QUEUE, jobs);
  }
} else {
  await boss.getQueue(QUEUE); // the pool has a connection, and the queue is known
  console.log("ready");
  await new Promise((go) => createInterface({ input: process.stdin }).once("line", go));
  let done = 0;
  for (;;) {
    const jobs = await boss.fetch(QUEUE, { batchSize: BATCH });
    if (jobs.length === 0) break;
    await boss.complete(QUEUE, jobs.map((job) => job.id));
    done += jobs.length;
  }
  console.log(JSON.stringify({ ended: Number(process.hrtime.bigint()) / 1e9, done }));
}
await boss.stop({ graceful: false });
process.exit(0);
