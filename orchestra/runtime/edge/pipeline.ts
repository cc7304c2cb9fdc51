// A pipeline's function: a queue whose messages say which step they are. What a
// step answers is kept for the steps after it.

import { contextOf, runOf } from "./context.ts";
import { Permanent, Snooze } from "./errors.ts";
import type { Host } from "./host.ts";
import type { Handout } from "./protocol.ts";
import type { StepHandler } from "./types.ts";
import { type Checked, checker } from "./validate.ts";
import type { Dispatch } from "./worker.ts";

/** Every message runs the handler of its step. */
export function handlerOfStep(
  handlers: Readonly<Record<string, StepHandler>>,
  host: Host,
  workload: Checked,
): Dispatch {
  const check = checker(workload);
  return (item, config) => {
    const run = runOf(item.headers);
    const step = run?.step ?? null;
    const limits = step === null ? undefined : config.steps?.[step];
    return {
      timeoutMs: limits?.timeout_ms ?? config.timeout_ms,
      keepsResult: limits?.result ?? false,
      call(signal) {
        const handler = handlerOf(handlers, step, item);
        // What other steps answered is no business of the schema.
        if (limits?.input) check(item.payload);
        return handler(
          item.payload as never,
          contextOf(item, {
            signal,
            maxAttempts: config.max_attempts,
            log: host.log.with({
              message_id: item.id,
              attempt: item.attempt,
              run: run?.id,
              step,
            }),
            sql: host.handlersSql,
          }),
        );
      },
    };
  };
}

function handlerOf(
  handlers: Readonly<Record<string, StepHandler>>,
  step: string | null,
  { id }: Handout,
): StepHandler {
  if (step === null) {
    throw new Permanent(`message ${id} is of no step of a run`);
  }
  const handler = Object.hasOwn(handlers, step) ? handlers[step] : undefined;
  if (handler === undefined) {
    // A step of a spec that has been applied and is not deployed yet: a run
    // must not fail for that. The database gives up steps that are gone.
    throw new Snooze("30s", `this version has no step ${step}`);
  }
  return handler;
}
