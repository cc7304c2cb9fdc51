// How a worker begins: a slot, or the reason why there is none.

import { sleep } from "./clock.ts";
import { persist } from "./retry.ts";
import { Worker, type WorkerParts } from "./worker.ts";

const LONGEST_ENTRY_MS = 10_000;
// A commit that was under way when the worker left has had its say by then.
const LAST_LOOK_MS = 100;

/** Works until done; what happened is in the log and the database. */
export async function work(parts: WorkerParts): Promise<void> {
  const { protocol, clock, log } = parts;
  const entered = await persist(() => protocol.enter(), {
    clock,
    until: clock.now() + LONGEST_ENTRY_MS,
  });
  if (entered.verdict === "go") {
    const why = await new Worker(parts, entered.slot, entered.config).run();
    // One that has used up its CPU knows that there is more to do.
    await lookAgain(parts, why === "cpu" ? 0 : LAST_LOOK_MS);
  } else if (entered.verdict === "full" || entered.verdict === "paused") {
    log.debug("nothing to do here", { verdict: entered.verdict });
  } else {
    log.warn("turned away", { verdict: entered.verdict });
  }
}

// Who enqueued in the moment between the worker's last turn and its leaving saw
// a worker that seemed to be looking, and woke nobody.
async function lookAgain(
  { protocol, clock, log }: WorkerParts,
  afterMs: number,
): Promise<void> {
  if (afterMs > 0) await sleep(clock, afterMs);
  try {
    await protocol.look();
  } catch (error) {
    log.debug("no last look; the tick has one", { error });
  }
}
