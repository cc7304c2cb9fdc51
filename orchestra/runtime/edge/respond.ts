// Answers: JSON, readable from browsers, and refusals that are thrown where they
// are found and answered in one place.

import { isBadData, isTransient } from "./faults.ts";
import type { Log } from "./log.ts";

// Where a request comes from proves nothing; who sends it is the door's affair.
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "POST, OPTIONS",
  "access-control-allow-headers":
    "authorization, x-client-info, apikey, content-type",
  "access-control-expose-headers": "x-orchestra-call, retry-after",
} as const;

type Headers = Readonly<Record<string, string>>;

const RETRY: Headers = { "retry-after": "5" };

/** What answers all requests of a function. */
export type Fetch = (request: Request) => Promise<Response>;

/** A request that is answered with `status` and `{"error": …}`. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly status: number,
    message: string,
    readonly headers: Headers = {},
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }

  static unauthorized(): Refusal {
    const headers = { "www-authenticate": "Bearer" };
    return new Refusal(401, "not authorized", headers);
  }

  /** Worth trying again a little later. */
  static later(message: string): Refusal {
    return new Refusal(503, message, RETRY);
  }
}

export function json(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Headers = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...CORS, ...headers },
  });
}

/**
 * The answer to a browser that asks what it may send: any headers, since what
 * client libraries add changes with their versions, and no door reads others
 * than its own.
 */
export function preflight(request: Request): Response {
  const asked = request.headers.get("access-control-request-headers");
  const headers = {
    ...CORS,
    ...(asked !== null && { "access-control-allow-headers": asked }),
    "access-control-max-age": "86400",
    "vary": "access-control-request-headers",
  };
  return new Response(null, { status: 204, headers });
}

/** The answer of `attempt`, or what its failure comes to. */
export async function answering(
  log: Log,
  attempt: () => Promise<Response>,
): Promise<Response> {
  try {
    return await attempt();
  } catch (error) {
    const refusal = refusalOf(error);
    if (error instanceof Refusal) {
      if (error.status >= 500) {
        log.warn(error.message, { status: error.status });
      }
    } else {
      log.error("a request failed", { status: refusal.status, error });
    }
    const { status, message, details, headers } = refusal;
    return json(status, { error: message, ...details }, headers);
  }
}

// What the database said stays in the log.
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isTransient(error)) return Refusal.later("the database is away");
  if (isBadData(error)) {
    return new Refusal(422, "the payload cannot be stored as jsonb");
  }
  return new Refusal(500, "internal error");
}
