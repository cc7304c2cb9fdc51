// Who a user's token belongs to. Tokens signed with the project's asymmetric
// keys are checked here, against the keys that its auth server publishes; older
// HS256 tokens by asking that server, since their secret is not for functions.

import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
} from "jose";
import { authUrl, type Env, publishableKey } from "./env.ts";
import { bearer } from "./keys.ts";
import { Refusal } from "./respond.ts";

const ALGORITHMS = ["ES256", "RS256", "EdDSA"];
const TIMEOUT_MS = 5_000;

/** Answers the subject of a signed-in user's token; refuses everybody else. */
export type Identify = (request: Request) => Promise<string>;

export function identifier(env: Env, fetcher = fetch): Identify {
  const auth = authUrl(env);
  const keys = createRemoteJWKSet(new URL(`${auth}/.well-known/jwks.json`), {
    timeoutDuration: TIMEOUT_MS,
    [customFetch]: fetcher,
  });

  async function verify(token: string): Promise<string> {
    const options = { algorithms: ALGORITHMS, requiredClaims: ["exp"] };
    try {
      const { payload } = await jwtVerify(token, keys, options);
      return user(payload.sub, payload["role"]);
    } catch (error) {
      throw isTokensFault(error) ? Refusal.unauthorized() : unavailable();
    }
  }

  async function ask(token: string): Promise<string> {
    const response = await fetcher(`${auth}/user`, {
      headers: {
        authorization: `Bearer ${token}`,
        apikey: publishableKey(env),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => null);
    if (response?.ok) {
      const said = await response.json().catch(() => null);
      if (said === null) throw unavailable();
      return user(said.id, said.role);
    }
    await response?.body?.cancel();
    const later = response === null || response.status >= 500 ||
      [408, 429].includes(response.status);
    throw later ? unavailable() : Refusal.unauthorized();
  }

  return async (request) => {
    const token = bearer(request);
    if (token === null) throw Refusal.unauthorized();
    return await (algorithmOfUser(token) === "HS256" ? ask : verify)(token);
  };
}

// The project's own keys are tokens too, and no user's: nobody is asked about
// them. Nothing here is proved yet.
function algorithmOfUser(token: string): string | undefined {
  try {
    const { sub, ...claims } = decodeJwt(token);
    user(sub, claims["role"]);
    return decodeProtectedHeader(token).alg;
  } catch {
    throw Refusal.unauthorized();
  }
}

function user(sub: unknown, role: unknown): string {
  if (role === "authenticated" && typeof sub === "string" && sub !== "") {
    return sub;
  }
  throw Refusal.unauthorized();
}

// Everything but the fetching of the keys.
function isTokensFault(error: unknown): boolean {
  return error instanceof Refusal ||
    error instanceof errors.JOSEError &&
      !(error instanceof errors.JWKSTimeout) &&
      !(error instanceof errors.JWKSInvalid) &&
      error.code !== "ERR_JOSE_GENERIC";
}

function unavailable(): Refusal {
  return Refusal.later("the auth server is away");
}
