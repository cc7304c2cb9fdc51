// Who signs in: tokens of asymmetric keys, of the legacy secret, and of nobody.

import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { identifier } from "../../orchestra/runtime/edge/jwt.ts";
import { Refusal } from "../../orchestra/runtime/edge/respond.ts";
import { environment } from "./requests.ts";

const ENV = environment({
  SUPABASE_URL: "http://auth.test",
  SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_1"}',
});
const USER = { sub: "user-1", role: "authenticated" };
const { publicKey, privateKey } = await generateKeyPair("ES256");
const JWKS = {
  keys: [{ ...await exportJWK(publicKey), kid: "one", alg: "ES256" }],
};
const LEGACY = new TextEncoder().encode("legacy secret of the tests, 32 chars");

function token(claims: JWTPayload, expires = "1h"): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "one" })
    .setExpirationTime(expires).sign(privateKey);
}

function legacy(claims: JWTPayload): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" })
    .setExpirationTime("1h").sign(LEGACY);
}

const request = (bearer: string) =>
  new Request("http://localhost/", {
    headers: { authorization: `Bearer ${bearer}` },
  });

/** An auth server that publishes its keys and knows one user. */
function server(asked: Request[], user?: () => Response): typeof fetch {
  return (input, init) => {
    const incoming = new Request(input, init);
    asked.push(incoming);
    const { pathname } = new URL(incoming.url);
    if (pathname === "/auth/v1/.well-known/jwks.json") {
      return Promise.resolve(Response.json(JWKS));
    }
    if (pathname === "/auth/v1/user" && user) return Promise.resolve(user());
    return Promise.resolve(new Response(null, { status: 404 }));
  };
}

async function refusal(work: Promise<string>): Promise<number> {
  const error = await work.then(
    () => assert.fail("was let in"),
    (error) => error,
  );
  assert.ok(error instanceof Refusal, String(error));
  return error.status;
}

Deno.test("a signed-in user is known by the published keys", async () => {
  const asked: Request[] = [];
  const identify = identifier(ENV, server(asked));
  assert.equal(await identify(request(await token(USER))), "user-1");
  assert.equal(
    await identify(request(await token({ ...USER, sub: "user-2" }))),
    "user-2",
  );
  assert.equal(asked.length, 1, "the keys are remembered");
});

Deno.test("nobody else is", async () => {
  const identify = identifier(ENV, server([]));
  const { privateKey: other } = await generateKeyPair("ES256");
  const forged = await new SignJWT(USER).setProtectedHeader({
    alg: "ES256",
    kid: "one",
  })
    .setExpirationTime("1h").sign(other);
  const timeless = await new SignJWT(USER)
    .setProtectedHeader({ alg: "ES256", kid: "one" }).sign(privateKey);
  const [head, body] = (await token(USER)).split(".");
  const none = `${btoa('{"alg":"none"}').replaceAll("=", "")}.${body}.`;
  for (
    const wrong of [
      "",
      "nonsense",
      "a.b.c",
      forged,
      timeless,
      none,
      `${head}.${body}.`,
      await token(USER, "-1h"),
      await token({ ...USER, role: "anon" }),
      await token({ ...USER, role: "service_role" }),
      await token({ sub: "user-1" }),
      await token({ role: "authenticated" }),
    ]
  ) assert.equal(await refusal(identify(request(wrong))), 401, wrong);
  assert.equal(await refusal(identify(new Request("http://localhost/"))), 401);
});

Deno.test("a token of the legacy secret is asked about", async () => {
  const asked: Request[] = [];
  const identify = identifier(
    ENV,
    server(asked, () => Response.json({ id: "user-1", role: "authenticated" })),
  );
  const bearer = await legacy(USER);
  assert.equal(await identify(request(bearer)), "user-1");
  assert.equal(asked[0]?.headers.get("authorization"), `Bearer ${bearer}`);
  assert.equal(asked[0]?.headers.get("apikey"), "sb_publishable_1");
});

Deno.test("and is not let in when the server says no", async () => {
  const says = (status: number) =>
    identifier(
      ENV,
      server([], () =>
        Response.json({ id: "user-1", role: "authenticated" }, { status })),
    );
  const bearer = await legacy(USER);
  assert.equal(await refusal(says(401)(request(bearer))), 401);
  assert.equal(await refusal(says(403)(request(bearer))), 401);
  for (const status of [408, 429, 500]) {
    assert.equal(await refusal(says(status)(request(bearer))), 503);
  }
  const anonymous = identifier(
    ENV,
    server([], () => Response.json({ id: "1", role: "anon" })),
  );
  assert.equal(await refusal(anonymous(request(bearer))), 401);
});

Deno.test("nobody is asked about the project's own keys", async () => {
  const asked: Request[] = [];
  const identify = identifier(ENV, server(asked, () => Response.json({})));
  const key = await legacy({ role: "service_role", iss: "supabase" });
  assert.equal(await refusal(identify(request(key))), 401);
  assert.equal(asked.length, 0);
});

Deno.test("an auth server that is away is no verdict on the token", async () => {
  const down: typeof fetch = () =>
    Promise.reject(new TypeError("connection refused"));
  const broken: typeof fetch = () =>
    Promise.resolve(new Response("?", { status: 502 }));
  const garbled: typeof fetch = () => Promise.resolve(new Response("<html>"));
  for (const fetcher of [down, broken, garbled]) {
    const identify = identifier(ENV, fetcher);
    assert.equal(await refusal(identify(request(await token(USER)))), 503);
    assert.equal(await refusal(identify(request(await legacy(USER)))), 503);
  }
});
