// How long this isolate has: when it was booted, until when it takes work, and
// when it has to be done.
//
// The platform retires an isolate at half of its wall clock (no request comes
// any more) and kills it at the end. So work is taken in the first half, and
// the second belongs to what was taken: no handler may outlast a half.

const MARGIN_MS = 5_000;

// The time origin may be that of a process or a snapshot; an isolate is never
// older, when this module loads, than a boot takes.
const LONGEST_BOOT_MS = 10_000;

/** When the isolate was booted, on the clock of `performance.now()`. */
const bootedAt: number = Math.max(
  performance.now() - LONGEST_BOOT_MS,
  0,
);

export interface Lifetime {
  /** From here on no new work. */
  readonly takeUntil: number;
  /** What is not done by now will not be done. */
  readonly endsAt: number;
}

/** The lifetime of an isolate with a wall clock of `wallClockMs`. */
export function lifetime(wallClockMs: number, booted = bootedAt): Lifetime {
  return {
    takeUntil: booted + wallClockMs / 2 - MARGIN_MS,
    endsAt: booted + wallClockMs - MARGIN_MS,
  };
}

/** Whether work that may take `timeoutMs` can still be taken. */
export function mayTake(
  life: Lifetime,
  now: number,
  timeoutMs: number,
): boolean {
  return now < life.takeUntil && now + timeoutMs <= life.endsAt;
}
