// Which failures of the database pass by themselves. Recognised in this one
// place, because whoever repeats a call must not repeat what can never work.

/** A call that was given up because no answer came. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

// What sockets and the client say when a connection could not be made or broke
// (ENOENT: a local server's socket, while it starts again).
const OF_CONNECTIONS = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECT_TIMEOUT",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENOENT",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

// SQLSTATEs: a server that ends or starts, is full, is a standby for a moment
// (25006), or sends one of two that stood in each other's way home.
const OF_SERVERS =
  /^(08...|53...|57P0[1235]|25P03|25006|40001|40P01|55P03|57014)$/;

// What Supavisor says as XX000 when it has lost a connection or has none left:
// by the codes of its errors, and in the words of versions without codes.
const OF_POOLERS =
  /^\(E(CHECKOUT\w+|DBHANDLEREXITED|POOLTERMINATING|CIRCUITBREAKER|MAX\w+)\)|max client|too many|DbHandler exited|authentication query failed|auth_query connection failed|: :closed$/i;

/** Whether the same call may work a little later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof NoAnswer) return true;
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (OF_CONNECTIONS.has(code) || OF_SERVERS.test(code)) return true;
  if (code === "XX000" && OF_POOLERS.test(error.message)) return true;
  // A name with several addresses fails with one error for each.
  return error instanceof AggregateError && error.errors.some(isTransient);
}

/** Whether the database refused the data themselves: class 22, or too deep. */
export function isBadData(error: unknown): boolean {
  return error instanceof Error && /^(22...|54001)$/.test(codeOf(error));
}

/** The SQLSTATE or the socket's code; "" where there is none. */
function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}
