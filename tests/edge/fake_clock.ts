// A clock that stands still until it is told to go on. Between two timers every
// promise that can go on does.

import { setImmediate } from "node:timers";
import type { Clock } from "../../orchestra/runtime/edge/clock.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = {
      at: this.#now + Math.max(ms, 0),
      order: this.#order++,
      run,
    };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Lets `ms` go by. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.at > until) break;
      await this.#fire(next);
    }
    this.#now = until;
    await settled();
  }

  /** Lets time go by until `promise` settles; fails after `most` ms of it. */
  async until<T>(promise: Promise<T>, most = 3_600_000): Promise<T> {
    let done = false;
    const finish = () => done = true;
    promise.then(finish, finish);
    const limit = this.#now + most;
    await settled();
    while (!done) {
      const next = this.#next();
      if (next === undefined) throw new Error("waits for nothing");
      if (next.at > limit) throw new Error(`not done after ${most} ms`);
      await this.#fire(next);
    }
    return await promise;
  }

  #next(): Timer | undefined {
    return this.#timers.toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers = this.#timers.filter((each) => each !== timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.run();
    await settled();
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
