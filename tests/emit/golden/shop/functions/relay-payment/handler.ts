// Written once by orchestra; yours from the first edit on. (sha256 78b6d5682254728a)

import { Permanent } from "orchestra";
import type { Context, Payload } from "./workload.gen.ts";

/**
 * Mark an order as paid when Stripe says so
 *
 * Runs behind an answer that the caller has had already. Nothing repeats it:
 * what it throws is written down in the database (orchestra.call) and in the
 * log. Pass `context.signal` on to what can be aborted.
 */
export default function handler(
  _payload: Payload,
  _context: Context,
): Promise<void> {
  throw new Permanent("relay-payment: its handler is not written yet");
}
