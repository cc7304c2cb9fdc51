// What the last answers say about the next question: when to ask again, and
// whether anything may be asked for.

import { askAgain, type Limits, type Moment } from "./pace.ts";
import type { Answer } from "./session.ts";

export type Asked = Pick<
  Moment,
  "alone" | "lastWorkAt" | "foundNone" | "askAgainAt" | "rateWait"
>;

export class Asking {
  #alone = false;
  #lastWorkAt: number;
  #foundNone = false;
  #askAgainAt = 0;
  #rateWait = false;

  constructor(private readonly limits: Limits, now: number) {
    this.#lastWorkAt = now;
  }

  /** A message came, or was done with. */
  worked(now: number): void {
    this.#lastWorkAt = now;
  }

  /** The answer of a turn that wanted so many. */
  answered({ items, alone, waitMs }: Answer, want: number, now: number): void {
    this.#alone = alone;
    if (items.length > 0) this.worked(now);
    if (want === 0) return;
    this.#foundNone = items.length === 0;
    this.#rateWait = waitMs !== null;
    this.#askAgainAt = items.length >= want && waitMs === null
      ? now
      : askAgain(this.limits, now, this.#lastWorkAt, waitMs);
  }

  get state(): Asked {
    return {
      alone: this.#alone,
      lastWorkAt: this.#lastWorkAt,
      foundNone: this.#foundNone,
      askAgainAt: this.#askAgainAt,
      rateWait: this.#rateWait,
    };
  }
}
