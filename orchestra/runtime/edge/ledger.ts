// The ledger of calls in the database: each is in it before it is answered, and
// is struck off with how it ended.

import type { Database } from "./db.ts";
import { Refusal } from "./respond.ts";
import type { Workload } from "./types.ts";

export interface Accepted {
  readonly callId: string;
  readonly timeoutMs: number;
}

export interface Ending {
  /** Null when it succeeded. */
  readonly error: string | null;
  readonly code: string | null;
}

export interface Ledger {
  /** Committed when this resolves. */
  accept(payload: string): Promise<Accepted>;
  settle(callId: string, ending: Ending): Promise<void>;
}

interface AcceptRow {
  verdict: "go" | "paused" | "unknown";
  call_id: string;
  timeout_ms: number;
}

export function ledger(db: Database, workload: Workload): Ledger {
  const { project, name, contract } = workload;
  return {
    async accept(payload) {
      const [row] = await db.transaction((sql) =>
        sql<AcceptRow[]>`
          select verdict, call_id, timeout_ms
          from orchestra.accept_v1(
            ${project}, ${name}, ${contract}, ${payload}::text::jsonb)`
      );
      switch (row?.verdict) {
        case "go":
          return { callId: row.call_id, timeoutMs: row.timeout_ms };
        case "paused":
          throw Refusal.later("the workload is paused");
        default:
          throw Refusal.later("the workload is not in the database yet");
      }
    },

    async settle(callId, { error, code }) {
      await db.call((sql) =>
        sql`select orchestra.settle_v1(${callId}::bigint, ${error}, ${code})`
      );
    },
  };
}
