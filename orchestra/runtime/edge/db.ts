// The connection to PostgreSQL: few, found again when they break, replaced when
// they hang.

import postgres, { type Sql, type TransactionSql } from "postgres";
import { isTransient, NoAnswer } from "./faults.ts";

const CONNECT_TIMEOUT_S = 5;
// The functions wait 5 s for a lock, then fail as transient.
const CALL_TIMEOUT_MS = 10_000;
const MOST_TRIES = 3;

export interface ClientOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** Connections at most. */
  readonly max: number;
  /** Whether arrays are read and written as such, for one more query each time a
   * connection is made. */
  readonly arrays?: boolean;
}

/**
 * A client that works behind a transaction pooler: no prepared statements, no
 * settings of a session, and unless asked for no query of its own for array
 * types; then arrays travel as text. Idle connections are closed, for other
 * isolates need them.
 */
export function client(
  { url, name, max, arrays = false }: ClientOptions,
): Sql {
  const options = {
    max,
    prepare: false,
    fetch_types: arrays,
    connect_timeout: CONNECT_TIMEOUT_S,
    idle_timeout: 20,
    // The client's own waits grow to 20 s, which would outlast an outage.
    backoff: (failures: number) => Math.min(failures * 0.05, 1),
    connection: { application_name: name },
    onnotice: () => {},
  };
  try {
    return postgres(url, options);
  } catch {
    // The client's own error shows the URL, and so the password.
    throw new Error(
      "the database URL cannot be read; characters like / # ? @ % in its password have to be percent-encoded",
    );
  }
}

/** An array of bigint or int as the text that PostgreSQL reads. */
export function arrayText(items: readonly (string | number)[]): string {
  return `{${items.join(",")}}`;
}

export class Database {
  #sql: Sql | null = null;

  constructor(
    private readonly options: ClientOptions,
    private readonly timeoutMs: number = CALL_TIMEOUT_MS,
  ) {}

  /**
   * The answer of one call. A connection that died without a word would keep
   * it waiting for ever: when no answer comes the client is replaced, and with
   * it what else was under way, which fails as transient too.
   */
  async call<T>(
    query: (sql: Sql) => Promise<T>,
    timeoutMs = this.timeoutMs,
  ): Promise<T> {
    const sql = this.#sql ??= client(this.options);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (this.#sql === sql) this.#sql = null;
        sql.end({ timeout: 0 }).catch(() => {});
        reject(new NoAnswer(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
    });
    try {
      return await Promise.race([query(sql), silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * What `body` answers, committed. Begun anew when the connection turns out to
   * be dead (it may have idled for minutes), but only as long as nothing has
   * been committed for certain: a commit whose answer was lost is in doubt, and
   * the caller's. No answer at all has taken the time of a second try.
   */
  async transaction<T>(
    body: (sql: TransactionSql) => Promise<T>,
    timeoutMs = this.timeoutMs,
  ): Promise<T> {
    for (let number = 1;; number++) {
      let committing = false;
      let answer: { of: T } | undefined;
      try {
        await this.call((sql) =>
          sql.begin(async (transaction) => {
            answer = { of: await body(transaction) };
            committing = true;
          }), timeoutMs);
        if (answer !== undefined) return answer.of;
        throw new Error("a transaction ended before its body");
      } catch (error) {
        const again = !committing && number < MOST_TRIES &&
          isTransient(error) && !(error instanceof NoAnswer);
        if (!again) throw error;
      }
    }
  }

  async close(): Promise<void> {
    const sql = this.#sql;
    this.#sql = null;
    await sql?.end({ timeout: 0 });
  }
}
