// Requests, and a host that keeps what a function asks of it.

import { lifetime } from "../../orchestra/runtime/edge/boot.ts";
import { Solitude } from "../../orchestra/runtime/edge/solitude.ts";
import { Cpu } from "../../orchestra/runtime/edge/cpu.ts";
import { Database } from "../../orchestra/runtime/edge/db.ts";
import type { Env } from "../../orchestra/runtime/edge/env.ts";
import { serverKeys, wakeKeys } from "../../orchestra/runtime/edge/env.ts";
import type { Host } from "../../orchestra/runtime/edge/host.ts";
import type { ShutdownHook } from "../../orchestra/runtime/edge/isolate.ts";
import { Keys } from "../../orchestra/runtime/edge/keys.ts";
import { type Line, memoryLog } from "./bench.ts";
import { FakeClock } from "./fake_clock.ts";
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

export interface FakeHost extends Host {
  readonly clock: FakeClock;
  readonly queue: FakeQueue;
  readonly lines: Line[];
  readonly hooks: Set<ShutdownHook>;
  /** What was handed over to go on behind the answer. */
  readonly work: Promise<unknown>[];
}

export function fakeHost(values: Record<string, string> = {}): FakeHost {
  const env = environment({ ORCHESTRA_FUNCTION_KEY: WORKER_KEY, ...values });
  const clock = new FakeClock();
  const queue = new FakeQueue(clock);
  const hooks = new Set<ShutdownHook>();
  const work: Promise<unknown>[] = [];
  return {
    env,
    clock,
    queue,
    hooks,
    work,
    ...memoryLog(),
    life: lifetime(400_000, 0),
    cpu: new Cpu(),
    solitude: new Solitude(),
    wakeKeys: new Keys(wakeKeys(env)),
    serverKeys: new Keys(serverKeys(env)),
    db: new Database(NOWHERE),
    protocol: queue,
    handlersSql() {
      throw new Error("no database here");
    },
    background: (promise) => void work.push(promise),
    onShutdown(hook) {
      hooks.add(hook);
      return () => void hooks.delete(hook);
    },
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
