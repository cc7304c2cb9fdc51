// graphile-worker as it is, or with its own options for batches: node graphile-worker.mjs setup|default|batches URL
//
// It stands ready, listening, before there are jobs, so that its start-up does not count.
import { EventEmitter, once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Logger, run, runMigrations } from "graphile-worker";

const [verb, connectionString] = process.argv.slice(2);
const pg = createRequire(import.meta.resolve("graphile-worker"))("pg");
const logger = new Logger(() => (level, message) => {
  if (level === "error") console.error(message);
});

// As its documentation measures itself.
const atOnce = { concurrentJobs: 24, maxPoolSize: 25 };
const inBatches = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };

if (verb === "setup") {
  await runMigrations({ connectionString, logger });
  process.exit(0);
}

let done = 0;
const events = new EventEmitter();
events.on("job:complete", () => done++);
const looked = once(events, verb === "batches" ? "localQueue:getJobs:complete" : "worker:getJob:empty");
const worker = { connectionString, ...atOnce, ...(verb === "batches" ? inBatches : {}) };
const taskList = { bench: () => {} };
await run({ preset: { worker }, logger, events, noHandleSignals: true, taskList });
await looked;
const own = new pg.Client({ connectionString });
await own.connect();
console.log("ready");
await new Promise((go) => createInterface({ input: process.stdin }).once("line", go));

// It has finished when its table is empty; it is asked only while nothing seems to happen.
let before = -1;
for (;;) {
  await sleep(5);
  if (done === before && (await own.query("select 1 from graphile_worker._private_jobs limit 1")).rowCount === 0) break;
  before = done;
}
console.log(JSON.stringify({ ended: Number(process.hrtime.bigint()) / 1e9, done }));
process.exit(0);
