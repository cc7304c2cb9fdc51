// The real database of the tests: the runtime installed, the project `shop` open.
// ORCHESTRA_TEST_DB says where; its absence is an error, never a skip.

import type { Sql } from "postgres";
import { lifetime } from "../../orchestra/runtime/edge/boot.ts";
import { clock } from "../../orchestra/runtime/edge/clock.ts";
import { client, Database } from "../../orchestra/runtime/edge/db.ts";
import type { Host } from "../../orchestra/runtime/edge/host.ts";
import { Keys } from "../../orchestra/runtime/edge/keys.ts";
import { sqlProtocol } from "../../orchestra/runtime/edge/protocol_sql.ts";
import type { QueueWorkload } from "../../orchestra/runtime/edge/types.ts";
import { type FakeIsolate, fakeIsolate } from "./fake_isolate.ts";
import { Proxy } from "./proxy.ts";
import { environment, workload } from "./requests.ts";

/** The client takes no directory of sockets from a URL, but from PGHOST. */
function testUrl(): string {
  const given = Deno.env.get("ORCHESTRA_TEST_DB");
  if (!given) throw new Error("ORCHESTRA_TEST_DB is not set");
  // A user without a host is no URL to this parser.
  const url = new URL(given.replace("@/", "@localhost/"));
  const folder = url.searchParams.get("host");
  if (folder === null) return given;
  Deno.env.set("PGHOST", folder);
  Deno.env.set("PGPORT", url.searchParams.get("port") ?? "5432");
  Deno.env.set("PGUSER", decodeURIComponent(url.username));
  return `postgresql://${url.pathname}`;
}

export const URL_OF_TESTS = testUrl();

/** The same in parts; a URL without a host is none to this parser. */
function urlParts(): URL {
  return new URL(URL_OF_TESTS.replace("///", "//localhost/"));
}

/** A connection to the server, as it is. */
function dial(): Promise<Deno.Conn> {
  const folder = Deno.env.get("PGHOST");
  const { hostname, port } = urlParts();
  return folder === undefined
    ? Deno.connect({ hostname, port: Number(port || 5432) })
    : Deno.connect({
      transport: "unix",
      path: `${folder}/.s.PGSQL.${Deno.env.get("PGPORT")}`,
    });
}

/** A way to the database that can be cut, and its URL. */
export function proxied(): { proxy: Proxy; url: string } {
  const proxy = new Proxy(dial);
  const url = urlParts();
  url.host = `127.0.0.1:${proxy.port}`;
  url.username ||= Deno.env.get("PGUSER") ?? "";
  return { proxy, url: url.href };
}

export interface RealHost extends Host, FakeIsolate {
  /** The connections of the runtime and its handlers, in pg_stat_activity. */
  readonly application: string;
}

/** A database client for the test itself, and hosts; closed with `using`. */
export class TestDb implements AsyncDisposable {
  readonly sql: Sql = client({ url: URL_OF_TESTS, name: "tests", max: 2 });
  readonly #open: (() => Promise<void>)[] = [
    () => this.sql.end({ timeout: 0 }),
  ];

  /** A workload with a queue of its own, under a name that nothing else has. */
  async queue(
    columns: Record<string, unknown> = {},
    more: Partial<QueueWorkload> = {},
  ): Promise<QueueWorkload> {
    const workload = this.workload("q", more);
    const queue = workload.name;
    await this.sql`select from pgmq.create(${queue})`;
    await this.#insert(workload, {
      pattern: "queue",
      queue_name: queue,
      batch_size: 50,
      concurrency: 10,
      cpu_ms: 0,
      max_attempts: 5,
      poll_interval_ms: 1_000,
      backoff_jitter: "none",
      backoff_initial_ms: 60_000,
      backoff_max_ms: 60_000,
      timeout_ms: 10_000,
      visibility_timeout_ms: 30_000,
      url_secret: "function_url",
      key_secret: "function_key",
      ...columns,
    });
    await this.sql`
      insert into orchestra.wake (project, workload)
      values (${workload.project}, ${queue})`;
    return workload;
  }

  async call(): Promise<QueueWorkload> {
    const workload = this.workload("c");
    await this.#insert(workload, { pattern: "wait_until", timeout_ms: 2_000 });
    return workload;
  }

  workload(prefix: string, more: Partial<QueueWorkload> = {}): QueueWorkload {
    const name = `${prefix}_${crypto.randomUUID().slice(0, 8)}`;
    return { ...workload(name), ...more };
  }

  host(
    workload: QueueWorkload,
    url = URL_OF_TESTS,
    timeoutMs?: number,
  ): RealHost {
    const application = `orchestra:${workload.name}`;
    const options = { url, name: application, max: 2 };
    const db = new Database(options, timeoutMs);
    const doorDb = new Database(options, timeoutMs);
    const handlersSql = client(options);
    this.#open.push(
      () => db.close(),
      () => doorDb.close(),
      () => handlersSql.end({ timeout: 0 }),
    );
    return {
      application,
      ...fakeIsolate({ life: lifetime(400_000, clock.now()) }),
      env: environment({}),
      clock,
      wakeKeys: new Keys([]),
      serverKeys: new Keys([]),
      db,
      doorDb,
      protocol: sqlProtocol(db, workload),
      handlersSql: () => handlersSql,
      background: () => {},
    };
  }

  async send(
    workload: QueueWorkload,
    payloads: readonly unknown[],
  ): Promise<void> {
    await this.sql`
      select orchestra.send_many(
        ${workload.name},
        array(select jsonb_array_elements(${
      JSON.stringify(payloads)
    }::text::jsonb)))`;
  }

  async depth({ name }: QueueWorkload): Promise<number> {
    const [row] = await this.sql<{ count: number }[]>`
      select count(*)::int as count from pgmq.${this.sql(`q_${name}`)}`;
    return row?.count ?? -1;
  }

  async dead(
    { name }: QueueWorkload,
  ): Promise<readonly Record<string, unknown>[]> {
    return await this.sql`
      select msg_id, attempts, reason, error, sqlstate
      from orchestra.dead_letter where workload = ${name} order by id`;
  }

  /** Ends every connection of an application; how many they were. */
  async terminate(application: string): Promise<number> {
    const [row] = await this.sql<{ count: number }[]>`
      select count(pg_terminate_backend(pid))::int as count
      from pg_stat_activity where application_name = ${application}`;
    return row?.count ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#open.toReversed()) await close();
  }

  async #insert(
    { project, name, contract }: QueueWorkload,
    columns: Record<string, unknown>,
  ): Promise<void> {
    const row = { project, name, contract, handler: "edge", ...columns };
    const names = Object.keys(row).map((column) => `"${column}"`).join(", ");
    await this.sql`
      insert into orchestra.workload (${this.sql.unsafe(names)})
      select ${this.sql.unsafe(names)}
      from jsonb_populate_record(
        (select d from jsonb_populate_record(null::orchestra.workload, '{}') d),
        ${JSON.stringify(row)}::text::jsonb)`;
  }
}
