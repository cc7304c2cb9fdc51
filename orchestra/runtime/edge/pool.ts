// The messages that a slot holds: those that wait for a free handler, and those
// that are being handled. Never more handlers at once than the slot allows.
//
// A handler that goes on after its timeout gets its verdict all the same, but
// keeps its place among the handlers: what it uses (a connection, a quota) is
// still in use, and the limit is there for that. The place is free when it ends,
// or when the worker leaves at its deadline.

import type { Clock } from "./clock.ts";
import { type Job, start, type Task, type Verdict } from "./job.ts";
import type { Log } from "./log.ts";
import type { Handout, Hold } from "./protocol.ts";

/** A message and until when it is certainly ours. */
export interface Leased extends Handout {
  leasedUntil: number;
}

interface Running {
  readonly item: Leased;
  readonly job: Job;
  readonly startedAt: number;
  /** Somebody else may have the message: nothing is to be reported. */
  lost: boolean;
}

export interface PoolParts {
  readonly handlers: number;
  readonly clock: Clock;
  readonly log: Log;
  task(item: Handout): Task;
  /** Whether anything may be started at the moment. */
  mayStart(): boolean;
  /** A message is done with. */
  onVerdict(item: Leased, verdict: Verdict): void;
  /** A place is free. */
  onFree(): void;
}

export class Pool {
  #buffer: Leased[] = [];
  readonly #running = new Set<Running>();
  readonly #stuck = new Set<Running>();
  #closed = false;
  #jobMs: number | null = null;

  constructor(private readonly parts: PoolParts) {}

  get running(): number {
    return this.#running.size;
  }

  get stuck(): number {
    return this.#stuck.size;
  }

  get buffered(): number {
    return this.#buffer.length;
  }

  /** How long a handler takes: a mean in which the latest counts for a fifth. */
  get jobMs(): number | null {
    return this.#jobMs;
  }

  /** What is held under a lease that has not been lost. */
  held(): Leased[] {
    const running = [...this.#running].filter(({ lost }) => !lost);
    return [...this.#buffer, ...running.map(({ item }) => item)];
  }

  add(items: readonly Leased[]): void {
    this.#buffer.push(...items);
    this.fill();
  }

  /** Starts what waits and may be started by now. */
  fill(): void {
    while (
      !this.#closed && this.#buffer.length > 0 && this.parts.mayStart() &&
      this.#running.size + this.#stuck.size < this.parts.handlers
    ) {
      const item = this.#buffer.shift();
      if (item !== undefined) this.#start(item);
    }
  }

  /** From here on nothing is started. */
  close(): void {
    this.#closed = true;
  }

  /** What has not been started, to be given back. */
  takeBuffer(): Leased[] {
    return this.#buffer.splice(0);
  }

  /**
   * The lease of a message is lost: its handler is told, its report dropped.
   * False when it is not held any more: it is done with already.
   */
  lose(lost: Hold, why: string): boolean {
    const same = ({ id, ct }: Hold) => id === lost.id && ct === lost.ct;
    const waiting = this.#buffer.length;
    this.#buffer = this.#buffer.filter((item) => !same(item));
    let held = this.#buffer.length < waiting;
    for (const running of this.#running) {
      if (!running.lost && same(running.item)) {
        running.lost = true;
        running.job.abort(new Error(`message ${lost.id}: ${why}`));
        held = true;
      }
    }
    return held;
  }

  #start(item: Leased): void {
    const { clock, task } = this.parts;
    const job = start(task(item), clock);
    const running = { item, job, startedAt: clock.now(), lost: false };
    this.#running.add(running);
    job.verdict.then((verdict) => this.#settle(running, verdict));
  }

  #settle(running: Running, verdict: Verdict): void {
    const { clock, log, onVerdict, onFree } = this.parts;
    const { item, job, startedAt, lost } = running;
    const took = clock.now() - startedAt;
    this.#jobMs = this.#jobMs === null ? took : this.#jobMs * 0.8 + took * 0.2;
    this.#running.delete(running);
    if (!job.hasEnded()) {
      this.#stuck.add(running);
      const about = { message_id: item.id, attempt: item.attempt };
      log.warn("a handler goes on after its timeout", about);
      job.end.then(() => {
        this.#stuck.delete(running);
        this.fill();
        onFree();
      });
    }
    if (!lost) onVerdict(item, verdict);
    this.fill();
    onFree();
  }
}
