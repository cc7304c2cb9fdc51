// What a function needs of the isolate that it runs in. Tests bring their own.

import type { Sql } from "postgres";
import { type Lifetime, lifetime } from "./boot.ts";
import { type Clock, clock } from "./clock.ts";
import { Cpu } from "./cpu.ts";
import { client, Database } from "./db.ts";
import { databaseUrl, type Env, serverKeys, wakeKeys } from "./env.ts";
import { background, onShutdown, type ShutdownHook } from "./isolate.ts";
import { Keys } from "./keys.ts";
import { type Log, logger } from "./log.ts";
import type { Protocol } from "./protocol.ts";
import { Solitude } from "./solitude.ts";
import { sqlProtocol } from "./protocol_sql.ts";
import type { Workload } from "./types.ts";

export interface Host {
  readonly env: Env;
  readonly clock: Clock;
  readonly life: Lifetime;
  readonly cpu: Cpu;
  readonly solitude: Solitude;
  readonly log: Log;
  /** Whose holder may wake a worker. */
  readonly wakeKeys: Keys;
  /** Whose holder may come in by a door with `auth: secret`. */
  readonly serverKeys: Keys;
  /** For the runtime's own calls, so that no handler is ever in their way. */
  readonly db: Database;
  /** For requests: no worker's turn waits for one that takes long. */
  readonly doorDb: Database;
  readonly protocol: Protocol;
  /** For handlers; made when first asked for. */
  handlersSql(): Sql;
  background(work: Promise<unknown>): void;
  onShutdown(hook: ShutdownHook): () => void;
}

// Connections are scarce: isolates come in dozens, and poolers count them.
const CONNECTIONS = 2;

export function hostOf(workload: Workload, env: Env = Deno.env): Host {
  const { project, name } = workload;
  const log = logger({ project, workload: name });
  const options = {
    url: databaseUrl(env),
    name: `orchestra:${project}:${name}`,
    max: CONNECTIONS,
  };
  const db = new Database(options);
  let handlersSql: Sql | undefined;
  return {
    env,
    clock,
    life: lifetime(workload.wallClockMs),
    cpu: new Cpu(),
    solitude: new Solitude(),
    log,
    wakeKeys: new Keys(wakeKeys(env)),
    serverKeys: new Keys(serverKeys(env)),
    db,
    doorDb: new Database(options),
    protocol: sqlProtocol(db, workload),
    handlersSql: () => handlersSql ??= client({ ...options, arrays: true }),
    background: (work) => background(work, log),
    onShutdown,
  };
}
