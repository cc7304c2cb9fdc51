// Repeating what failed only because the database was away for a moment.

import { type Clock, sleep } from "./clock.ts";
import { isTransient } from "./faults.ts";

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;

export interface Patience {
  readonly clock: Clock;
  /** No attempt begins after this time. */
  readonly until: number;
  /** Told about each failure that is followed by another attempt. */
  onRetry?(error: unknown, attempt: number): void;
}

/** The first answer; the last failure when patience ends or it cannot help. */
export async function persist<T>(
  attempt: () => Promise<T>,
  { clock, until, onRetry }: Patience,
): Promise<T> {
  for (let number = 1;; number++) {
    try {
      return await attempt();
    } catch (error) {
      const wait = backoff(number);
      if (!isTransient(error) || clock.now() + wait >= until) throw error;
      onRetry?.(error, number);
      await sleep(clock, wait);
    }
  }
}

// Doubling, and spread over its second half, so that the workers that a restart
// of the server has cut off do not all come back at once.
function backoff(number: number): number {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (number - 1), LONGEST_WAIT_MS);
  return wait / 2 + Math.random() * wait / 2;
}
