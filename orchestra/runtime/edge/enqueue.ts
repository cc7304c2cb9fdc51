// Enqueues the items of one request: all of them or none, in chunks of one
// transaction.

import type { TransactionSql } from "postgres";
import type { Database } from "./db.ts";
import { toJson } from "./json.ts";
import { Refusal } from "./respond.ts";
import type { Workload } from "./types.ts";

export interface Queued {
  readonly ids: readonly string[];
  readonly run: string | null;
}

interface EnqueueRow {
  verdict: "go" | "unknown" | "too_many";
  run: string | null;
  ids: string[];
}

const CHUNK_ITEMS = 1_000;
const CHUNK_TEXT = 4 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

export function enqueue(
  db: Database,
  workload: Workload,
  items: readonly unknown[],
  caller: string | null,
): Promise<Queued> {
  const chunks = inChunks(items);
  return db.transaction(async (sql) => {
    const ids: string[] = [];
    let run: string | null = null;
    for (const chunk of chunks) {
      const total = items.length;
      const row = await send(sql, workload, chunk, { run, total, caller });
      if (row.verdict === "unknown") {
        throw Refusal.later("the workload is not in the database yet");
      }
      if (row.verdict === "too_many") {
        throw new Refusal(413, "too many items for one request");
      }
      run = row.run;
      for (const id of row.ids) ids.push(id);
    }
    return { ids, run };
  }, TIMEOUT_MS);
}

interface Whole {
  /** What the first chunk answered; null for the first chunk itself. */
  readonly run: string | null;
  readonly total: number;
  readonly caller: string | null;
}

// The array of a chunk travels as one text; its order is kept.
async function send(
  sql: TransactionSql,
  { project, name, contract }: Workload,
  chunk: string,
  { run, total, caller }: Whole,
): Promise<EnqueueRow> {
  const [row] = await sql<EnqueueRow[]>`
    select verdict, run, to_jsonb(ids) as ids
    from orchestra.enqueue_v1(
      ${project}, ${name}, ${contract},
      array(
        select item
        from jsonb_array_elements(${chunk}::text::jsonb)
          with ordinality as items(item, position)
        order by position),
      ${run}::bigint, ${total}, ${caller})`;
  if (row === undefined) throw new Error("enqueue_v1 answered no row");
  return row;
}

/** JSON arrays of so many items, and about so much text, each. */
export function inChunks(items: readonly unknown[]): string[] {
  const chunks: string[] = [];
  let texts: string[] = [];
  let size = 0;
  const close = () => {
    if (texts.length > 0) chunks.push(`[${texts.join(",")}]`);
    texts = [];
    size = 0;
  };
  for (const [index, item] of items.entries()) {
    const text = written(item, index);
    if (texts.length >= CHUNK_ITEMS || size + text.length > CHUNK_TEXT) close();
    texts.push(text);
    size += text.length;
  }
  close();
  return chunks;
}

function written(item: unknown, index: number): string {
  try {
    return toJson(item);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Refusal(422, "the payload cannot be stored as jsonb", {}, {
      items: [{ index, path: "", message: error.message }],
    });
  }
}
