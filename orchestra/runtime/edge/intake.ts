// What every door does with a request before it is anybody's work: the method,
// who it is from, the body, JSON.

import { parseJson, readBody } from "./body.ts";
import type { Gate } from "./gate.ts";
import { preflight, Refusal } from "./respond.ts";
import type { Fault, Validate } from "./validate.ts";

export interface Intake {
  readonly payload: unknown;
  /** The subject of a JWT, or null. */
  readonly caller: string | null;
}

/** The payload of a request; or the answer, to a browser that asks before. */
export async function takeIn(
  request: Request,
  gate: Gate,
): Promise<Intake | Response> {
  if (request.method === "OPTIONS") return preflight(request);
  if (request.method !== "POST") {
    throw new Refusal(405, "only POST is taken", { allow: "POST, OPTIONS" });
  }
  let reading: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const body = () => reading ??= readBody(request);
  const caller = await gate(request, body);
  return { payload: parseJson(await body()), caller };
}

// Faults of one answer.
const MOST_FAULTS = 100;

/** Refuses items of which any is not as the schema says, naming the faults. */
export function refuseInvalid(
  items: readonly unknown[],
  validate: Validate,
): void {
  const faults: (Fault & { index: number })[] = [];
  for (const [index, item] of items.entries()) {
    faults.push(...validate(item).map((fault) => ({ index, ...fault })));
    if (faults.length >= MOST_FAULTS) break;
  }
  if (faults.length > 0) {
    throw new Refusal(422, "the payload is not as its schema says", {}, {
      items: faults.slice(0, MOST_FAULTS),
    });
  }
}
