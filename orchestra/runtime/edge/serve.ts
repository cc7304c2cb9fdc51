// Puts a function together and serves it. Generated code calls one of these
// with its workload and its handler, and nothing else.

import { callFunction, type CallParts } from "./call.ts";
import { doorway } from "./door.ts";
import { enqueue } from "./enqueue.ts";
import { type Gate, gate } from "./gate.ts";
import type { Verify } from "./hmac/verify.ts";
import { type Host, hostOf } from "./host.ts";
import { surviveStrayErrors } from "./isolate.ts";
import { identifier } from "./jwt.ts";
import { ledger } from "./ledger.ts";
import { handlerOfStep } from "./pipeline.ts";
import { oneHandler, queueFunction } from "./queue.ts";
import type { Fetch } from "./respond.ts";
import type {
  CallWorkload,
  Door,
  Handler,
  PayloadOf,
  PipelineWorkload,
  QueueWorkload,
  ServeOptions,
  StepHandlers,
} from "./types.ts";
import { validator } from "./validate.ts";
import { vault } from "./vault.ts";
import type { Dispatch } from "./worker.ts";

/** Serves a queue: `handler` runs for each message. */
export function serveQueue<W extends QueueWorkload>(
  workload: W,
  handler: Handler<PayloadOf<W>>,
  ...[options]: ServeOptions<W>
): void {
  serveMessages(
    workload,
    (host) => oneHandler(handler, host, workload),
    options?.verify,
  );
}

/** Serves a pipeline: a message runs the handler of its step. */
export function servePipeline<W extends PipelineWorkload>(
  workload: W,
  handlers: StepHandlers<W>,
  ...[options]: ServeOptions<W>
): void {
  serveMessages(
    workload,
    (host) => handlerOfStep(handlers, host, workload),
    options?.verify,
  );
}

/** Serves the door of a queue that is worked off in SQL: it takes requests. */
export function serveDoor<W extends QueueWorkload>(
  workload: W,
  ...[options]: ServeOptions<W>
): void {
  const host = hostOf(workload);
  const door = doorOf(workload, host, options?.verify);
  if (door === null) throw new Error(`${workload.name} has no door`);
  serve(door, host);
}

/** Serves calls: `handler` runs behind an answer that was given at once. */
export function serveCall<W extends CallWorkload>(
  workload: W,
  handler: Handler<PayloadOf<W>>,
  ...[options]: ServeOptions<W>
): void {
  const host = hostOf(workload);
  const parts: CallParts = {
    workload,
    handler,
    gate: gateOf(workload.door, host, options?.verify),
    validate: validator(workload.schema),
    ledger: ledger(host.db, workload),
    host,
  };
  serve(callFunction(parts), host);
}

function serveMessages(
  workload: QueueWorkload,
  dispatchOn: (host: Host) => Dispatch,
  verify: Verify | undefined,
): void {
  const host = hostOf(workload);
  const dispatch = dispatchOn(host);
  const door = doorOf(workload, host, verify);
  serve(queueFunction({ workload, dispatch, door, host }), host);
}

function doorOf(
  workload: QueueWorkload,
  host: Host,
  verify: Verify | undefined,
): Fetch | null {
  const { door, schema } = workload;
  return door === null ? null : doorway({
    door,
    gate: gateOf(door, host, verify),
    validate: validator(schema),
    log: host.log,
    enqueue: (items, caller) => enqueue(host.doorDb, workload, items, caller),
  });
}

function gateOf(door: Door, host: Host, verify: Verify | undefined): Gate {
  return gate(door.auth, {
    keys: host.serverKeys,
    secrets: vault(host.doorDb, host.clock),
    verify,
    identifier: () => identifier(host.env),
  });
}

function serve(answer: Fetch, host: Host): void {
  surviveStrayErrors(host.log);
  Deno.serve(answer);
}
