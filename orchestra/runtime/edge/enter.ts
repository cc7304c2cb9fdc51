// How a worker begins: a slot, or the reason why there is none.

import { persist } from "./retry.ts";
import { Worker, type WorkerParts } from "./worker.ts";

const LONGEST_ENTRY_MS = 10_000;

/** Works until done; what happened is in the log and the database. */
export async function work(parts: WorkerParts): Promise<void> {
  const { protocol, clock, log } = parts;
  const entered = await persist(() => protocol.enter(), {
    clock,
    until: clock.now() + LONGEST_ENTRY_MS,
  });
  if (entered.verdict === "go") {
    await new Worker(parts, entered.slot, entered.config).run();
  } else if (entered.verdict === "full" || entered.verdict === "paused") {
    log.debug("nothing to do here", { verdict: entered.verdict });
  } else {
    log.warn("turned away", { verdict: entered.verdict });
  }
}
