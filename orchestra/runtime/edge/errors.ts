// What handlers throw to say more than "it failed", and how any thrown value
// becomes text for the ledger.

import { type Delay, milliseconds } from "./duration.ts";
import { storable } from "./json.ts";

/** Thrown by a handler: no further attempt, the dead letters at once. */
export class Permanent extends Error {
  override readonly name = "Permanent";
}

/** Thrown by a handler: again after `delay`, and no attempt is spent. */
export class Snooze extends Error {
  override readonly name = "Snooze";
  readonly delayMs: number;

  constructor(delay: Delay, why = "not yet", options?: ErrorOptions) {
    super(why, options);
    this.delayMs = milliseconds(delay);
  }
}

// As many characters as the database keeps of an error.
const MOST_TEXT = 8_000;
const MOST_FRAMES = 8;
const MOST_CAUSES = 4;
const OURS = new URL(".", import.meta.url).href;

/**
 * Text for whatever was thrown: name, message, the head of the stack, causes.
 * Never throws itself, and leaves nothing that PostgreSQL could not store.
 */
export function describe(thrown: unknown): string {
  let text: string;
  try {
    text = thrown instanceof Error
      ? chain(thrown)
      : `threw what is no error: ${plain(thrown)}`;
  } catch {
    text = "threw something that cannot be described";
  }
  return storable(text.slice(0, MOST_TEXT));
}

function chain(error: Error): string {
  const told: string[] = [];
  const seen = new Set<unknown>();
  let next: unknown = error;
  while (next !== undefined && next !== null && told.length < MOST_CAUSES) {
    if (seen.has(next)) break;
    seen.add(next);
    told.push(next instanceof Error ? one(next) : plain(next));
    next = next instanceof Error ? next.cause : undefined;
  }
  return told.join("\ncaused by: ");
}

function one(error: Error): string {
  const title = error.message === ""
    ? error.name
    : `${error.name}: ${error.message}`;
  const frames = String(error.stack ?? "").split("\n")
    .filter((line) => /^\s+at /.test(line));
  // What called the handler is the same for every failure, and says nothing of this one.
  const theirs = frames.filter((line) => !line.includes(OURS));
  const telling = theirs.length > 0 ? theirs : frames;
  return [title, ...telling.slice(0, MOST_FRAMES)].join("\n");
}

function plain(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  return JSON.stringify(value) ?? String(value);
}
