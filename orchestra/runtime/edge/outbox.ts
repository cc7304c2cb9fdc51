// What has ended and is not yet reported, and what is to be handed back: all of
// it goes with the next turn.

import type { Verdict } from "./job.ts";
import type { Failure, Hold } from "./protocol.ts";

export interface Report {
  readonly acks: readonly Hold[];
  readonly results: ReadonlyMap<string, string>;
  readonly fails: readonly Failure[];
  /** Handed back unstarted. */
  readonly backs: readonly Hold[];
}

// Results of one turn, in characters: a large step goes in several turns.
const MOST_RESULT_TEXT = 4 * 1024 * 1024;
const MOST_REPORTS = 1_000;

interface Entry {
  readonly hold: Hold;
  readonly verdict: Verdict;
  readonly since: number;
}

export class Outbox {
  #entries: Entry[] = [];
  #backs: Hold[] = [];

  get size(): number {
    return this.#entries.length + this.#backs.length;
  }

  /** Since when the oldest waits; what is handed back has no time to wait. */
  get since(): number {
    if (this.#backs.length > 0) return -Infinity;
    return this.#entries[0]?.since ?? Infinity;
  }

  report({ id, ct }: Hold, verdict: Verdict, now: number): void {
    this.#entries.push({ hold: { id, ct }, verdict, since: now });
  }

  handBack(holds: readonly Hold[]): void {
    this.#backs.push(...holds);
  }

  /** Takes what fits into one turn, at least one report if there is any. */
  take(): Report {
    const acks: Hold[] = [];
    const fails: Failure[] = [];
    const results = new Map<string, string>();
    let text = 0;
    let taken = 0;
    for (const { hold, verdict } of this.#entries) {
      text += verdict.done ? verdict.result?.length ?? 0 : 0;
      if (taken >= MOST_REPORTS || (taken > 0 && text > MOST_RESULT_TEXT)) {
        break;
      }
      taken++;
      if (verdict.done) {
        acks.push(hold);
        if (verdict.result !== null) results.set(hold.id, verdict.result);
      } else {
        const { error, code, snoozeMs } = verdict;
        fails.push({ ...hold, error, code, snooze_ms: snoozeMs });
      }
    }
    this.#entries = this.#entries.slice(taken);
    return { acks, results, fails, backs: this.#backs.splice(0) };
  }
}
