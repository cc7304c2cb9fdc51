// A queue's function: the database wakes it to work its messages off; other
// requests are for its door.

import { mayTake } from "./boot.ts";
import { parseJson, readBody } from "./body.ts";
import { contextOf } from "./context.ts";
import { work } from "./enter.ts";
import type { Host } from "./host.ts";
import { answering, type Fetch, json, Refusal } from "./respond.ts";
import type { Handler, QueueWorkload } from "./types.ts";
import { type Checked, checker } from "./validate.ts";
import type { Dispatch } from "./worker.ts";

export interface QueueParts {
  readonly workload: QueueWorkload;
  readonly dispatch: Dispatch;
  /** What answers other requests than wake-ups; null where nothing comes in. */
  readonly door: Fetch | null;
  readonly host: Host;
}

/** The function of a queue whose messages run as `dispatch` says. */
export function queueFunction(parts: QueueParts): Fetch {
  const { door, host } = parts;
  return (request) =>
    request.headers.get("x-orchestra") === "wake"
      ? answering(host.log, () => wake(request, parts))
      : (door ?? closed)(request);
}

/** Every message runs the one handler of a plain queue. */
export function oneHandler(
  handler: Handler<never>,
  host: Host,
  workload: Checked,
): Dispatch {
  const check = checker(workload);
  return (item, config) => ({
    timeoutMs: config.timeout_ms,
    keepsResult: false,
    call(signal) {
      check(item.payload);
      return handler(
        item.payload as never,
        contextOf(item, {
          signal,
          maxAttempts: config.max_attempts,
          log: host.log.with({ message_id: item.id, attempt: item.attempt }),
          sql: host.handlersSql,
        }),
      );
    },
  });
}

// Answers before anything is done: the caller waits 5 s at most, and others
// behind it. What the wake-up is about is in the database.
async function wake(
  request: Request,
  { workload, dispatch, host }: QueueParts,
): Promise<Response> {
  if (request.method !== "POST") throw new Refusal(405, "only POST is taken");
  if (!host.wakeKeys.admit(request)) throw Refusal.unauthorized();
  const meant = await workloadMeant(request);
  if (meant !== workload.name) {
    throw new Refusal(404, `this is ${workload.name}, not ${meant}`);
  }
  if (!mayTake(host.life, host.clock.now(), 0)) {
    throw Refusal.later("this isolate takes no more work");
  }
  host.cpu.wake();
  host.background(work({ ...host, dispatch }));
  return json(202, { status: "awake" });
}

async function workloadMeant(request: Request): Promise<unknown> {
  const said = parseJson(await readBody(request, 10_000));
  return (said as { workload?: unknown } | null)?.workload;
}

function closed(): Promise<Response> {
  return Promise.resolve(json(404, { error: "this function has no door" }));
}
