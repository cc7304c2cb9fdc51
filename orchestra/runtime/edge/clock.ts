// Time, handed in so that tests can bring their own: milliseconds that only
// grow, and timers.

export interface Clock {
  /** Milliseconds since the isolate's time origin. */
  now(): number;
  /** Calls `run` once after `ms`; the answer calls it off. */
  after(ms: number, run: () => void): () => void;
}

// What a timer takes; anything longer would fire at once.
const LONGEST = 2 ** 31 - 1;

export const clock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), LONGEST));
    return () => clearTimeout(timer);
  },
};

/** Something to wait for with a limit: whoever rings it ends the wait. */
export class Bell {
  #answer: (() => void) | null = null;
  #rung = false;

  constructor(private readonly clock: Clock) {}

  ring(): void {
    this.#rung = true;
    this.#answer?.();
  }

  /** Until the next ring, at most `ms`; at once if it rang since the last wait. */
  async wait(ms: number): Promise<void> {
    if (!this.#rung && ms > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.clock.after(ms, resolve);
        this.#answer = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#answer = null;
    this.#rung = false;
  }
}

/** Waits `ms`. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
