// Structured logs: one line of JSON each, told apart by the fields that the
// runtime adds (project, workload, message_id, attempt, …). Payloads and
// secrets are never among them.

import { describe } from "./errors.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Writes one line of JSON a call. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A log whose lines carry further fields. */
  with(fields: Fields): Log;
}

type Level = Exclude<keyof Log, "with">;
export type Sink = (level: Level, line: string) => void;

const toConsole: Sink = (level, line) => console[level](line);

/** A log whose every line carries `fields`. */
export function logger(fields: Fields, sink: Sink = toConsole): Log {
  const write = (level: Level) => (message: string, more?: Fields) =>
    sink(level, line({ level, message, ...fields, ...more }));
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    with: (more) => logger({ ...fields, ...more }, sink),
  };
}

// A handler may log anything; a line that cannot be written must not fail it.
function line(entry: Fields): string {
  try {
    return JSON.stringify(entry, writable);
  } catch {
    const { level, message } = entry;
    return JSON.stringify({ level, message, fields: "cannot be written" });
  }
}

function writable(_key: string, value: unknown): unknown {
  if (value instanceof Error) return describe(value);
  return typeof value === "bigint" ? value.toString() : value;
}
