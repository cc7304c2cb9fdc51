// Written once by orchestra; yours from the first edit on. (sha256 a9250a3277bbabfe)

import { Permanent } from "orchestra";
import type { Context, Payload } from "./workload.gen.ts";

/**
 * One report for each customer
 *
 * Runs for each item, at least once: a second run for the same item should do
 * no harm. The item is done when this returns. Throw to have it tried again,
 * `new Permanent("why")` to give it up at once, `new Snooze("10m")` to have it
 * again later at no cost. Pass `context.signal` on to what can be aborted.
 */
export default function handler(
  _payload: Payload,
  _context: Context,
): Promise<void> {
  throw new Permanent("generate-reports: its handler is not written yet");
}
