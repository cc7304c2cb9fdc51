// What a handler is given beside its payload.

import type { Sql } from "postgres";
import type { Log } from "./log.ts";
import type { Handout } from "./protocol.ts";
import type { Context, Run } from "./types.ts";

export interface ContextParts {
  readonly signal: AbortSignal;
  readonly maxAttempts: number;
  readonly log: Log;
  /** A client that is shared by the handlers of this isolate. */
  sql(): Sql;
}

/** The context of a message's handler. */
export function contextOf(item: Handout, parts: ContextParts): Context {
  return context(parts, {
    attempt: item.attempt,
    messageId: item.id,
    headers: item.headers,
    run: runOf(item.headers),
  });
}

/** The context of a call's handler: no message, and one attempt. */
export function contextOfCall(
  headers: Context["headers"],
  parts: ContextParts,
): Context {
  return context(parts, { attempt: 1, messageId: null, headers, run: null });
}

function context(
  { signal, maxAttempts, log, sql }: ContextParts,
  rest: Pick<Context, "attempt" | "messageId" | "headers" | "run">,
): Context {
  return {
    ...rest,
    signal,
    maxAttempts,
    log,
    get sql() {
      return sql();
    },
  };
}

/** The run that a message's headers name. */
export function runOf(headers: Handout["headers"]): Run | null {
  const own = headers?.["orchestra"];
  if (typeof own !== "object" || own === null) return null;
  const { run, step, i } = own as Record<string, unknown>;
  if (typeof run !== "number" && typeof run !== "string") return null;
  return {
    id: String(run),
    step: typeof step === "string" ? step : null,
    index: typeof i === "number" ? i : null,
  };
}
