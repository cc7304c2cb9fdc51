// What the platform offers an isolate: keeping it alive behind an answer,
// a word before it ends, and events for errors that nobody caught.

import type { Log } from "./log.ts";

interface EdgeRuntimeApi {
  waitUntil(work: Promise<unknown>): void;
}

/** Keeps the isolate until `work` has settled. Where nothing is to be asked
 * for that (plain Deno), the work simply goes on. */
export function background(work: Promise<unknown>, log: Log): void {
  const safe = work.catch((error) =>
    log.error("background work failed", { error })
  );
  const { EdgeRuntime } = globalThis as { EdgeRuntime?: EdgeRuntimeApi };
  EdgeRuntime?.waitUntil(safe);
}

export type ShutdownHook = (reason: string) => void;

const hooks = new Set<ShutdownHook>();
let listening = false;
let endsBecause: string | null = null;

/**
 * Calls `hook` when the isolate is about to end (at 90 % of its wall clock, or
 * when memory or CPU run out). Nobody waits for what a hook starts, so it has
 * to start it synchronously. Called at once when that was before. The answer
 * takes the hook off.
 */
export function onShutdown(hook: ShutdownHook): () => void {
  if (!listening) {
    listening = true;
    addEventListener("beforeunload", (event) => {
      endsBecause = shutdownReason(event);
      for (const each of [...hooks]) each(endsBecause);
    });
  }
  hooks.add(hook);
  if (endsBecause !== null) hook(endsBecause);
  return () => void hooks.delete(hook);
}

function shutdownReason(event: Event): string {
  const { detail } = event as { detail?: unknown };
  const reason = typeof detail === "object" && detail !== null
    ? (detail as { reason?: unknown }).reason
    : detail;
  return typeof reason === "string" && reason !== "" ? reason : "unknown";
}

/**
 * A promise that a handler has left behind, or a callback of its, must not take
 * the isolate and all its neighbours along: told in the log, and survived.
 */
export function surviveStrayErrors(log: Log): void {
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("a rejection that nobody handled", { error: event.reason });
  });
  addEventListener("error", (event) => {
    event.preventDefault();
    log.error("an error that nobody caught", { error: event.error });
  });
}
