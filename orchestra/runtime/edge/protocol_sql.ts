// The worker's side of the versioned SQL functions: one query each.

import { arrayText, type Database } from "./db.ts";
import type {
  Config,
  Entered,
  Handout,
  Hold,
  Protocol,
  Turn,
  TurnReply,
} from "./protocol.ts";
import type { Workload } from "./types.ts";

interface EnterRow {
  verdict: Entered["verdict"];
  slot: number;
  token: string;
  config: Config;
}

interface TurnRow {
  verdict: string;
  msg_id: string;
  read_ct: number;
  attempt: number;
  message: unknown;
  headers: Handout["headers"];
}

const ids = (holds: readonly Hold[]) => arrayText(holds.map(({ id }) => id));
const cts = (holds: readonly Hold[]) => arrayText(holds.map(({ ct }) => ct));

export function sqlProtocol(db: Database, workload: Workload): Protocol {
  const { project, name, contract } = workload;
  return {
    async enter() {
      const [row] = await db.call((sql) =>
        sql<EnterRow[]>`
          select verdict, slot, token, config
          from orchestra.enter_v1(${project}, ${name}, ${contract})`
      );
      if (row === undefined) throw new Error("enter_v1 answered no row");
      const { verdict, slot, token, config } = row;
      return verdict === "go"
        ? { verdict, slot: { slot, token }, config }
        : { verdict };
    },

    async turn({ slot, token }, turn) {
      const rows = await db.call((sql) =>
        sql<TurnRow[]>`
          select verdict, msg_id, read_ct, attempt, message, headers
          from orchestra.turn_v1(
            ${project}, ${name}, ${slot}, ${token}, ${turn.seq}, ${contract},
            ${ids(turn.acks)}::bigint[], ${cts(turn.acks)}::int[],
            ${resultsText(turn)}::text::jsonb, ${failsText(turn)}::text::jsonb,
            ${ids(turn.backs)}::bigint[], ${cts(turn.backs)}::int[],
            ${turn.want})`
      );
      return reply(rows);
    },

    async extend({ slot, token }, holds) {
      const rows = await db.call((sql) =>
        sql<{ id: string }[]>`
          select id from orchestra.extend_v1(
            ${project}, ${name}, ${slot}, ${token},
            ${ids(holds)}::bigint[], ${cts(holds)}::int[]) as lost(id)`
      );
      return rows.map(({ id }) => id);
    },

    async leave({ slot, token }, backs) {
      await db.call((sql) =>
        sql`
          select orchestra.leave_v1(
            ${project}, ${name}, ${slot}, ${token},
            ${ids(backs)}::bigint[], ${cts(backs)}::int[])`
      );
    },

    async look() {
      await db.call((sql) =>
        sql`select orchestra.look_v1(${project}, ${name})`
      );
    },
  };
}

// The values are JSON text already.
function resultsText({ results }: Turn): string | null {
  if (results.size === 0) return null;
  return `{${[...results].map(([id, text]) => `"${id}":${text}`).join(",")}}`;
}

function failsText({ fails }: Turn): string | null {
  return fails.length === 0 ? null : JSON.stringify(fails);
}

function reply(rows: readonly TurnRow[]): TurnReply {
  const [own, ...rest] = rows;
  if (own === undefined) throw new Error("turn_v1 answered no row");
  const said = own.message as { wait_ms?: number; alone?: boolean } | null;
  const handouts: Handout[] = [];
  const late: string[] = [];
  for (const row of rest) {
    if (row.verdict === "run") {
      handouts.push({
        id: row.msg_id,
        ct: row.read_ct,
        attempt: row.attempt,
        payload: row.message,
        headers: row.headers,
      });
    } else if (row.verdict === "late") {
      late.push(row.msg_id);
    }
  }
  return {
    verdict: own.verdict as TurnReply["verdict"],
    waitMs: said?.wait_ms ?? null,
    alone: said?.alone ?? false,
    handouts,
    late,
  };
}
