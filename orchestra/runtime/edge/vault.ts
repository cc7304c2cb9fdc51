// Secrets in Vault, by name, remembered for a minute: a webhook must not cost a
// query more for its secret, and a new secret must arrive soon.

import type { Clock } from "./clock.ts";
import type { Database } from "./db.ts";

const KEPT_MS = 60_000;

export type Secrets = (name: string) => Promise<string>;

export function vault(db: Database, clock: Clock): Secrets {
  const known = new Map<string, { secret: string; until: number }>();
  return async (name) => {
    const kept = known.get(name);
    if (kept !== undefined && kept.until > clock.now()) return kept.secret;
    const [row] = await db.call((sql) =>
      sql<{ decrypted_secret: string | null }[]>`
        select decrypted_secret from vault.decrypted_secrets
        where name = ${name}`
    );
    const secret = row?.decrypted_secret;
    if (!secret) throw new Error(`Vault has no secret ${name}`);
    known.set(name, { secret, until: clock.now() + KEPT_MS });
    return secret;
  };
}
