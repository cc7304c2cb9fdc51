// Written once by orchestra; yours from the first edit on. (sha256 97488c72b4d15e0f)

import { Permanent } from "orchestra";
import type {
  CollectPayload,
  Context,
  PublishPayload,
  RenderPayload,
} from "./workload.gen.ts";

/*
 * Collect the customers, render a report for each, publish them all
 *
 * Each step is a function, run at least once for each of its tasks: a second
 * run for the same task should do no harm. What it returns, as JSON, is what
 * the steps after it get. Throw to have a task tried again,
 * `new Permanent("why")` to give it up at once.
 */

/** Runs first, with the payload that began the run. */
export function collect(
  _payload: CollectPayload,
  _context: Context,
): Promise<unknown[]> {
  throw new Permanent("collect: its handler is not written yet");
}

/** Runs once for each element of what `collect` answers. */
export function render(
  _payload: RenderPayload,
  _context: Context,
): Promise<unknown> {
  throw new Permanent("render: its handler is not written yet");
}

/** Runs when `render` is done, and gets the answers. */
export function publish(
  _payload: PublishPayload,
  _context: Context,
): Promise<unknown> {
  throw new Permanent("publish: its handler is not written yet");
}
