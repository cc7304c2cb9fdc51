// One run of a handler: started, told when its time is over, given up when it
// does not listen. It always comes to a verdict, whatever the handler throws,
// returns or forgets to do.

import type { Clock } from "./clock.ts";
import { describe, Permanent, Snooze } from "./errors.ts";
import { toJson } from "./json.ts";
import type { Failure } from "./protocol.ts";

/** What there is to run. */
export interface Task {
  readonly timeoutMs: number;
  /** Whether the answer is wanted, as JSON. */
  readonly keepsResult: boolean;
  call(signal: AbortSignal): unknown;
}

export type Verdict =
  | { readonly done: true; readonly result: string | null }
  | {
    readonly done: false;
    readonly error: string;
    readonly code: Failure["code"];
    readonly snoozeMs: number | null;
  };

export interface Job {
  /** Settled a moment after the timeout at the latest; never rejects. */
  readonly verdict: Promise<Verdict>;
  /** Settled when the handler itself has ended, if ever; never rejects. */
  readonly end: Promise<void>;
  /** Whether the handler itself has ended. */
  hasEnded(): boolean;
  /** Tells the handler to stop. */
  abort(reason: Error): void;
}

// What a handler has for stopping cleanly after its signal.
const GRACE_MS = 1_000;

export function start(task: Task, clock: Clock): Job {
  const controller = new AbortController();
  const overdue = new DOMException(
    `timed out after ${task.timeoutMs} ms`,
    "TimeoutError",
  );
  let ended = false;
  let late = false;
  let callOff = () => {};
  const limit = new Promise<Verdict>((resolve) => {
    callOff = clock.after(task.timeoutMs, () => {
      late = true;
      callOff = clock.after(GRACE_MS, () => resolve(timeout(overdue)));
      controller.abort(overdue);
    });
  });
  const finish = (verdict: Verdict) => {
    ended = true;
    callOff();
    return verdict;
  };
  const own = answer(task, controller.signal).then(
    (result) => finish({ done: true, result }),
    (thrown) => finish(failure(thrown, late ? overdue : null)),
  );
  return {
    verdict: Promise.race([own, limit]),
    end: own.then(() => {}),
    hasEnded: () => ended,
    abort: (reason) => controller.abort(reason),
  };
}

// In an async function, so that what is thrown at once is a rejection too.
async function answer(
  task: Task,
  signal: AbortSignal,
): Promise<string | null> {
  const result = await task.call(signal);
  if (!task.keepsResult) return null;
  try {
    return toJson(result);
  } catch (error) {
    throw new Error("its answer cannot be kept", { cause: error });
  }
}

function failure(thrown: unknown, overdue: DOMException | null): Verdict {
  const error = describe(thrown);
  if (thrown instanceof Permanent) {
    return { done: false, error, code: "ORC01", snoozeMs: null };
  }
  if (thrown instanceof Snooze) {
    return { done: false, error, code: null, snoozeMs: thrown.delayMs };
  }
  if (overdue !== null) {
    return timeout(overdue, thrown === overdue ? "" : `\nthen ${error}`);
  }
  return { done: false, error, code: null, snoozeMs: null };
}

function timeout(overdue: DOMException, more = ""): Verdict {
  return {
    done: false,
    error: overdue.message + more,
    code: "timeout",
    snoozeMs: null,
  };
}
