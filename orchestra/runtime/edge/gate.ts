// Who may come in by the door: a signed-in user, a server with a key, whoever
// signs the body, or everybody.

import type { Verify } from "./hmac/verify.ts";
import type { Identify } from "./jwt.ts";
import type { Keys } from "./keys.ts";
import { Refusal } from "./respond.ts";
import type { Door } from "./types.ts";
import type { Secrets } from "./vault.ts";

/** Answers who asks (the subject of a JWT) or null; throws a Refusal. */
export type Gate = (
  request: Request,
  body: () => Promise<Uint8Array<ArrayBuffer>>,
) => Promise<string | null>;

export interface GateParts {
  readonly keys: Keys;
  readonly secrets: Secrets;
  readonly verify: Verify | undefined;
  identifier(): Identify;
}

export function gate(auth: Door["auth"], parts: GateParts): Gate {
  const { keys, secrets, verify } = parts;
  if (auth === "none") return () => Promise.resolve(null);
  if (auth === "jwt") {
    const identify = parts.identifier();
    return (request) => identify(request);
  }
  if (auth === "secret") {
    return (request) =>
      keys.admit(request)
        ? Promise.resolve(null)
        : Promise.reject(Refusal.unauthorized());
  }
  if (verify === undefined) {
    throw new Error(`a door signed by ${auth.header} needs { verify }`);
  }
  return async (request, body) => {
    // Without a signature the body is not even read.
    if (!request.headers.has(auth.header)) throw Refusal.unauthorized();
    const [bytes, secret] = await Promise.all([body(), secrets(auth.vault)]);
    if (await verify(bytes, request.headers, auth.header, secret)) return null;
    throw Refusal.unauthorized();
  };
}
