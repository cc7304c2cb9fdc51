// Written once by orchestra; yours from the first edit on. (sha256 30f2a0e0e0e74367)

import { Permanent } from "orchestra";
import type { Context, Payload } from "./workload.gen.ts";

/**
 * Hand a written receipt to the mail provider
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
  throw new Permanent("deliver-email: its handler is not written yet");
}
