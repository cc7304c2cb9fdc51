// The environment, read in this one place.

export interface Env {
  get(name: string): string | undefined;
}

/** Where the database is: its own variable first, else what Supabase sets. */
export function databaseUrl(env: Env): string {
  const url = env.get("ORCHESTRA_DB_URL") || env.get("SUPABASE_DB_URL");
  if (!url) {
    throw new Error("neither ORCHESTRA_DB_URL nor SUPABASE_DB_URL is set");
  }
  return url;
}

/** Where the project's auth server is. */
export function authUrl(env: Env): string {
  const url = env.get("SUPABASE_URL");
  if (!url) throw new Error("SUPABASE_URL is not set");
  return `${url.replace(/\/+$/, "")}/auth/v1`;
}

/** Keys that only servers have: the project's secret ones. */
export function serverKeys(env: Env): string[] {
  return [
    ...dictionary(env.get("SUPABASE_SECRET_KEYS")),
    env.get("SUPABASE_SERVICE_ROLE_KEY"),
  ].filter((key): key is string => Boolean(key));
}

/**
 * Those, and the key that is for wake-ups alone: whoever may read the requests
 * that the database makes can read it, and it opens no door.
 */
export function wakeKeys(env: Env): string[] {
  const own = env.get("ORCHESTRA_FUNCTION_KEY");
  return own ? [own, ...serverKeys(env)] : serverKeys(env);
}

/** A key that opens the gateway and nothing else; "" where there is none. */
export function publishableKey(env: Env): string {
  return dictionary(env.get("SUPABASE_PUBLISHABLE_KEYS"))[0] ??
    env.get("SUPABASE_ANON_KEY") ?? "";
}

// {"default": "sb_secret_…"}; a value that is no such dictionary holds no keys.
function dictionary(text: string | undefined): string[] {
  try {
    const keys: unknown = JSON.parse(text ?? "{}");
    return typeof keys === "object" && keys !== null
      ? Object.values(keys).filter((key) => typeof key === "string")
      : [];
  } catch {
    return [];
  }
}
