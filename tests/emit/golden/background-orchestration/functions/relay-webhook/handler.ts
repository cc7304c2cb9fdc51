// Written once by orchestra; yours from the first edit on. (sha256 0ac8aac71e620f38)

import { Permanent } from "orchestra";
import type { Context, Payload } from "./workload.gen.ts";

/**
 * Relay payment webhooks to the CRM
 *
 * Runs behind an answer that the caller has had already. Nothing repeats it:
 * what it throws is written down in the database (orchestra.call) and in the
 * log. Pass `context.signal` on to what can be aborted.
 */
export default function handler(
  _payload: Payload,
  _context: Context,
): Promise<void> {
  throw new Permanent("relay-webhook: its handler is not written yet");
}
