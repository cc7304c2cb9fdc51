import { Permanent, Snooze } from "orchestra";
import type { Context, Payload } from "./workload.gen.ts";

const sleep = (ms: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, ms));

export default async function handle(
  payload: Payload,
  { sql, attempt, messageId }: Context,
): Promise<void> {
  // As text: a Date has no microseconds.
  const [{ now }] = await sql<[{ now: string }]>`
    select clock_timestamp()::text as now`;
  switch (payload.do) {
    case "work":
      await sleep(20);
      break;
    case "never end":
      await new Promise(() => {});
      break;
    case "throw text":
      // deno-lint-ignore no-throw-literal
      throw "just a text";
    case "throw nothing":
      // deno-lint-ignore no-throw-literal
      throw undefined;
    case "reject late":
      setTimeout(() => Promise.reject(new Error("nobody awaits this")), 1);
      await sleep(20);
      break;
    case "block":
      // Its whole isolate, until a file of the attempt's number is there.
      while (!exists(`${payload.text}/${attempt}`)) {
        Atomics.wait(nothing, 0, 0, 20);
      }
      break;
    case "die":
      Deno.exit(1);
      break;
    case "snooze":
      if (attempt === 1 && await first(messageId)) throw new Snooze(200);
      break;
    case "give up":
      throw new Permanent("not for us");
  }
  await sql`
    insert into trouble.done
      (message_id, attempt, what, bytes, isolate, started_at)
    values (
      ${messageId}, ${attempt}, ${payload.do}, ${payload.text?.length ?? null},
      ${Deno.pid}, ${now}::text::timestamptz
    )`;
}

const nothing = new Int32Array(new SharedArrayBuffer(4));
function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

const seen = new Set<string | null>();
function first(messageId: string | null): Promise<boolean> {
  const known = seen.has(messageId);
  seen.add(messageId);
  return Promise.resolve(!known);
}
