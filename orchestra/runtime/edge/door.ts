// The door of a queue: what comes in by HTTP is checked and enqueued. The body
// {"items": […]} is as many items, all of them or none; any other is one.

import type { Queued } from "./enqueue.ts";
import type { Gate } from "./gate.ts";
import { refuseInvalid, takeIn } from "./intake.ts";
import type { Log } from "./log.ts";
import { answering, type Fetch, json, Refusal } from "./respond.ts";
import type { Door } from "./types.ts";
import type { Validate } from "./validate.ts";

export interface DoorParts {
  readonly door: Door;
  readonly gate: Gate;
  readonly validate: Validate;
  readonly log: Log;
  /** Enqueues all items or none, for `caller`. */
  enqueue(items: readonly unknown[], caller: string | null): Promise<Queued>;
}

export function doorway(parts: DoorParts): Fetch {
  const { door, gate, validate, log, enqueue } = parts;
  return (request) =>
    answering(log, async () => {
      const taken = await takeIn(request, gate);
      if (taken instanceof Response) return taken;
      const items = itemsOf(taken.payload);
      if (items.length > door.maxItems) {
        throw new Refusal(
          413,
          `${items.length} items; a request may have ${door.maxItems}`,
        );
      }
      refuseInvalid(items, validate);
      const { ids, run } = items.length === 0
        ? { ids: [], run: null }
        : await enqueue(items, taken.caller);
      log.info("queued", { count: items.length, run });
      return json(202, { status: "queued", ids, run, count: items.length });
    });
}

// An object with anything beside `items` is a payload that happens to have some.
function itemsOf(payload: unknown): readonly unknown[] {
  if (typeof payload === "object" && payload !== null) {
    const { items, ...others } = payload as Record<string, unknown>;
    if (Array.isArray(items) && Object.keys(others).length === 0) return items;
  }
  return [payload];
}
