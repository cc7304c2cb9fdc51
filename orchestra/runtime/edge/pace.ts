// When a worker takes its next turn and how much it wants: a pure function of
// the moment. Turns are what costs; a handler that waits for one is what hurts.
//
//   - A turn is taken when a handler is idle or soon will be, and it reports
//     everything that has ended by then. What has ended waits 40 ms at most,
//     and not at all once the worker stops: its isolate may end any moment.
//   - Beyond what can start at once, as much is wanted as the handlers finish
//     in 100 ms: enough to bridge a turn, too little to hoard slow work that
//     another worker could begin. Under a rate limit, nothing is wanted ahead.
//   - An empty queue is asked again every 50 ms while the worker lingers. While
//     handlers are still running after that, every 250 ms.
//   - A rate limit's wait is sat out up to 30 s: leaving would deliver less than
//     the limit allows, since only the tick would wake again.

const AHEAD_MS = 100;
const SETTLE_MS = 40;
const POLL_MS = 50;
const SLOW_POLL_MS = 250;
const LONGEST_RATE_WAIT_MS = 30_000;

export interface Limits {
  /** Handlers at once. */
  readonly handlers: number;
  /** Messages of one turn at most. */
  readonly batchSize: number;
  readonly rateLimited: boolean;
  readonly lingerMs: number;
  /** From here on nothing is taken. */
  readonly takeUntil: number;
}

export interface Moment {
  readonly now: number;
  readonly running: number;
  /** Handlers that have outlived their verdict and still run. */
  readonly stuck: number;
  /** Messages held and not started. */
  readonly buffered: number;
  /** Reports that wait for a turn, and since when the oldest of them does. */
  readonly unsettled: number;
  readonly unsettledSince: number;
  /** How long a handler takes, lately; null before the first has ended. */
  readonly jobMs: number | null;
  /** What the CPU count still allows. */
  readonly room: number;
  /** What is held must have no company. */
  readonly alone: boolean;
  readonly stopping: boolean;
  /** When a message last came or was done with. */
  readonly lastWorkAt: number;
  /** Whether the last turn that wanted messages got none. */
  readonly foundNone: boolean;
  readonly askAgainAt: number;
  /** Whether a rate limit said so. */
  readonly rateWait: boolean;
}

export type Step =
  | { readonly do: "leave" }
  | { readonly do: "turn"; readonly want: number }
  | { readonly do: "wait"; readonly ms: number };

export function pace(limits: Limits, moment: Moment): Step {
  const { now, running, buffered, unsettled, stopping } = moment;
  const idle = running + buffered + unsettled === 0;
  if (idle && (stopping || nothingToWaitFor(limits, moment))) {
    return { do: "leave" };
  }

  const free = Math.max(limits.handlers - running - moment.stuck, 0);
  const ahead = bufferSize(limits, moment);
  const want = stopping || (moment.alone && running + buffered > 0)
    ? 0
    : clamp(free + ahead - buffered, Math.min(limits.batchSize, moment.room));
  const hungry = want > 0 && (free > 0 || buffered < ahead / 2);
  const settleAt = moment.unsettledSince + SETTLE_MS;
  const settles = unsettled > 0 && (
    running + buffered === 0 || now >= settleAt || stopping ||
    unsettled >= Math.max(limits.batchSize, limits.handlers)
  );
  if (settles || (hungry && now >= moment.askAgainAt)) {
    return { do: "turn", want };
  }
  return {
    do: "wait",
    ms: Math.min(
      hungry ? moment.askAgainAt - now : Infinity,
      unsettled > 0 ? settleAt - now : Infinity,
      stopping ? Infinity : limits.takeUntil - now,
    ),
  };
}

/** When to ask again after a turn that wanted more than it got. */
export function askAgain(
  limits: Limits,
  now: number,
  lastWorkAt: number,
  rateWaitMs: number | null,
): number {
  if (rateWaitMs !== null) return now + rateWaitMs;
  return now + (now - lastWorkAt < limits.lingerMs ? POLL_MS : SLOW_POLL_MS);
}

// A worker leaves on finding nothing, not on a timer some time after it: the less
// time between its last look and its leaving, the less can be missed.
function nothingToWaitFor(limits: Limits, moment: Moment): boolean {
  const { now, askAgainAt, foundNone, rateWait, stuck } = moment;
  if (stuck > 0 || !foundNone) return false;
  return rateWait
    ? askAgainAt - now > LONGEST_RATE_WAIT_MS
    : askAgainAt >= moment.lastWorkAt + limits.lingerMs;
}

function bufferSize(limits: Limits, { jobMs, stuck }: Moment): number {
  if (limits.rateLimited || jobMs === null) return 0;
  const able = Math.max(limits.handlers - stuck, 0);
  const finished = able * AHEAD_MS / Math.max(jobMs, 0.1);
  return Math.min(Math.ceil(finished), limits.batchSize);
}

const clamp = (value: number, most: number) =>
  Math.max(Math.min(value, most), 0);
