// A worker on a fake queue, ready to be watched.

import assert from "node:assert/strict";
import { type Lifetime, lifetime } from "../../orchestra/runtime/edge/boot.ts";
import { Solitude } from "../../orchestra/runtime/edge/solitude.ts";
import { Cpu } from "../../orchestra/runtime/edge/cpu.ts";
import type { ShutdownHook } from "../../orchestra/runtime/edge/isolate.ts";
import { type Log, logger } from "../../orchestra/runtime/edge/log.ts";
import type { Config, Handout } from "../../orchestra/runtime/edge/protocol.ts";
import { work } from "../../orchestra/runtime/edge/enter.ts";
import { sleep } from "../../orchestra/runtime/edge/clock.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeQueue } from "./fake_queue.ts";

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A log that keeps its lines. */
export function memoryLog(): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  const log = logger({}, (_level, line) => lines.push(JSON.parse(line)));
  return { log, lines };
}

export type Handle = (
  item: Handout,
  signal: AbortSignal,
  bench: Bench,
) => unknown;

export interface BenchOptions {
  readonly config?: Partial<Config>;
  readonly life?: Lifetime;
  readonly cpu?: Cpu;
  readonly timeoutMs?: number;
  readonly keepsResult?: boolean;
}

export class Bench {
  readonly clock = new FakeClock();
  readonly queue: FakeQueue;
  readonly hooks = new Set<ShutdownHook>();
  readonly log: Log;
  readonly lines: Line[];
  readonly life: Lifetime;
  readonly cpu: Cpu;
  readonly solitude = new Solitude();
  /** Handlers that run now, and the most that ever did. */
  running = 0;
  most = 0;
  started: Handout[] = [];

  constructor(
    private readonly handle: Handle,
    private readonly options: BenchOptions = {},
  ) {
    this.queue = new FakeQueue(this.clock, options.config);
    ({ log: this.log, lines: this.lines } = memoryLog());
    this.life = options.life ?? lifetime(400_000, 0);
    this.cpu = options.cpu ?? new Cpu();
  }

  /** One worker, from its entering to its leaving. */
  work(): Promise<void> {
    return work({
      protocol: this.queue,
      clock: this.clock,
      life: this.life,
      cpu: this.cpu,
      solitude: this.solitude,
      log: this.log,
      onShutdown: (hook) => {
        this.hooks.add(hook);
        return () => this.hooks.delete(hook);
      },
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

  shutDown(reason: string): void {
    for (const hook of this.hooks) hook(reason);
  }

  sleep(ms: number): Promise<void> {
    return sleep(this.clock, ms);
  }

  messages(level: string): string[] {
    return this.lines.filter((line) => line.level === level)
      .map(({ message }) => message);
  }

  assertEmpty(): void {
    assert.equal(this.queue.waiting, 0);
    assert.equal(this.queue.held, 0);
    assert.equal(this.queue.taken, false);
    assert.equal(this.hooks.size, 0);
  }
}

/** Code of a transient fault. */
export function away(): Error {
  return Object.assign(new Error("gone"), { code: "ECONNRESET" });
}
