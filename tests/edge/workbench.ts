// A worker on a fake queue, ready to be watched.

import assert from "node:assert/strict";
import { sleep } from "../../orchestra/runtime/edge/clock.ts";
import { work } from "../../orchestra/runtime/edge/enter.ts";
import type { Config, Handout } from "../../orchestra/runtime/edge/protocol.ts";
import { FakeClock } from "./fake_clock.ts";
import {
  type FakeIsolate,
  fakeIsolate,
  type IsolateOptions,
} from "./fake_isolate.ts";
import { FakeQueue } from "./fake_queue.ts";

export type Handle = (
  item: Handout,
  signal: AbortSignal,
  bench: Bench,
) => unknown;

/** A handler that takes so long, and does nothing. */
export const taking = (ms: number): Handle => (_item, _signal, bench) =>
  bench.sleep(ms);

export interface BenchOptions extends IsolateOptions {
  readonly config?: Partial<Config>;
  readonly timeoutMs?: number;
  readonly keepsResult?: boolean;
}

export class Bench {
  readonly clock = new FakeClock();
  readonly queue: FakeQueue;
  readonly isolate: FakeIsolate;
  /** Handlers that run now, and the most that ever did. */
  running = 0;
  most = 0;
  started: Handout[] = [];

  constructor(
    private readonly handle: Handle,
    private readonly options: BenchOptions = {},
  ) {
    this.queue = new FakeQueue(this.clock, options.config);
    this.isolate = fakeIsolate(options);
  }

  /** One worker, from its entering to its leaving. */
  work(): Promise<void> {
    return work({
      ...this.isolate,
      protocol: this.queue,
      clock: this.clock,
      dispatch: (item, config) => ({
        timeoutMs: this.options.timeoutMs ?? config.timeout_ms,
        keepsResult: this.options.keepsResult ?? false,
        call: async (signal) => {
          this.started.push(item);
          this.most = Math.max(this.most, ++this.running);
          try {
            return await this.handle(item, signal, this);
          } finally {
            this.running--;
          }
        },
      }),
    });
  }

  sleep(ms: number): Promise<void> {
    return sleep(this.clock, ms);
  }

  messages(level: string): string[] {
    return this.isolate.lines.filter((line) => line.level === level)
      .map(({ message }) => message);
  }

  /** How often the queue was asked for this. */
  calls(name: string): number {
    return this.queue.calls.filter((call) => call === name).length;
  }

  assertEmpty(): void {
    assert.equal(this.queue.waiting, 0);
    this.assertLeft();
  }

  assertLeft(): void {
    assert.equal(this.queue.held, 0);
    assert.equal(this.queue.taken, false);
    assert.equal(this.isolate.hooks.size, 0);
  }

  /** What was started is done, the rest of so many messages is in the queue. */
  assertNothingLost(total: number): void {
    assert.equal(this.started.length, this.queue.done.length);
    assert.equal(this.queue.done.length + this.queue.waiting, total);
    this.assertLeft();
  }
}
