// Requests, a workload, and a host that keeps what a function asks of it.

import { Database } from "../../orchestra/runtime/edge/db.ts";
import {
  type Env,
  serverKeys,
  wakeKeys,
} from "../../orchestra/runtime/edge/env.ts";
import type { Host } from "../../orchestra/runtime/edge/host.ts";
import { Keys } from "../../orchestra/runtime/edge/keys.ts";
import type { QueueWorkload } from "../../orchestra/runtime/edge/types.ts";
import { FakeClock } from "./fake_clock.ts";
import { type FakeIsolate, fakeIsolate } from "./fake_isolate.ts";
import { FakeQueue } from "./fake_queue.ts";

export const WORKER_KEY = "worker-key-of-the-tests";

const NOWHERE = {
  url: "postgres://nowhere.invalid/none",
  name: "none",
  max: 1,
};

export function environment(values: Record<string, string>): Env {
  return { get: (name) => values[name] };
}

/** A workload that is open to any payload and has no door. */
export function workload(name: string): QueueWorkload {
  return {
    project: "shop",
    name,
    contract: "0123456789abcdef",
    wallClockMs: 400_000,
    schema: null,
    door: null,
  };
}

export interface FakeHost extends Host, FakeIsolate {
  readonly clock: FakeClock;
  readonly queue: FakeQueue;
  /** What was handed over to go on behind the answer. */
  readonly work: Promise<unknown>[];
}

export function fakeHost(values: Record<string, string> = {}): FakeHost {
  const env = environment({ ORCHESTRA_FUNCTION_KEY: WORKER_KEY, ...values });
  const clock = new FakeClock();
  const queue = new FakeQueue(clock);
  const work: Promise<unknown>[] = [];
  return {
    env,
    clock,
    queue,
    work,
    ...fakeIsolate(),
    wakeKeys: new Keys(wakeKeys(env)),
    serverKeys: new Keys(serverKeys(env)),
    db: new Database(NOWHERE),
    doorDb: new Database(NOWHERE),
    protocol: queue,
    handlersSql() {
      throw new Error("no database here");
    },
    background: (promise) => void work.push(promise),
  };
}

export function post(
  body: unknown,
  headers: Record<string, string> = {},
): Request {
  return new Request("http://localhost/functions/v1/some", {
    method: "POST",
    headers,
    body: typeof body === "string" || body instanceof Uint8Array
      ? body as BodyInit
      : JSON.stringify(body),
  });
}

export async function read(
  response: Response,
): Promise<[number, Record<string, unknown>]> {
  return [response.status, await response.json()];
}

/** A body of `size` bytes that is made as it is read. */
export function stream(size: number): ReadableStream<Uint8Array> {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      const part = Math.min(left, 64 * 1024);
      if (part === 0) controller.close();
      else controller.enqueue(new Uint8Array(part).fill(32));
      left -= part;
    },
  });
}
