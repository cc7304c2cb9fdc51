// Written once by orchestra; yours from the first edit on. (sha256 4a5a82a03f4dc2dd)

import { Permanent } from "orchestra";
import type { Context, Payload } from "./workload.gen.ts";

/**
 * Keep the embedding of each document up to date
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
  throw new Permanent("embed-document: its handler is not written yet");
}
