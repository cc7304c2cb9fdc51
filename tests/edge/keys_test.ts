// Keys of servers: where they come from, and where a request carries them.

import assert from "node:assert/strict";
import {
  authUrl,
  databaseUrl,
  publishableKey,
  serverKeys,
  wakeKeys,
} from "../../orchestra/runtime/edge/env.ts";
import { bearer, Keys } from "../../orchestra/runtime/edge/keys.ts";
import { environment } from "./requests.ts";

const LEGACY =
  "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl";

const request = (headers: Record<string, string>) =>
  new Request("http://localhost/", { headers });

Deno.test("every kind of secret key opens, in either header", () => {
  const keys = new Keys(wakeKeys(environment({
    ORCHESTRA_FUNCTION_KEY: "worker",
    SUPABASE_SECRET_KEYS: '{"default":"sb_secret_one","other":"sb_secret_two"}',
    SUPABASE_SERVICE_ROLE_KEY: LEGACY,
  })));
  for (const key of ["worker", "sb_secret_one", "sb_secret_two", LEGACY]) {
    assert.ok(keys.admit(request({ apikey: key })));
    assert.ok(keys.admit(request({ authorization: `Bearer ${key}` })));
    assert.ok(
      keys.admit(request({ authorization: `bearer ${key}`, apikey: "anon" })),
    );
  }
});

Deno.test("the key of wake-ups opens no door", () => {
  const keys = new Keys(serverKeys(environment({
    ORCHESTRA_FUNCTION_KEY: "worker",
    SUPABASE_SECRET_KEYS: '{"default":"sb_secret_one"}',
  })));
  assert.ok(!keys.admit(request({ apikey: "worker" })));
  assert.ok(keys.admit(request({ apikey: "sb_secret_one" })));
});

Deno.test("nothing else does", () => {
  const keys = new Keys(["worker"]);
  for (
    const headers of [
      {},
      { apikey: "" },
      { apikey: "worke" },
      { apikey: "workers" },
      { apikey: "Worker" },
      { authorization: "worker" },
      { authorization: "Basic worker" },
      { authorization: "Bearer " },
      { "x-api-key": "worker" },
    ]
  ) assert.ok(!keys.admit(request(headers as Record<string, string>)));
});

Deno.test("without keys nobody comes in, not even with an empty one", () => {
  for (
    const values of [
      {},
      { ORCHESTRA_FUNCTION_KEY: "", SUPABASE_SERVICE_ROLE_KEY: "" },
      { SUPABASE_SECRET_KEYS: '{"default":""}' },
      { SUPABASE_SECRET_KEYS: "no json" },
      { SUPABASE_SECRET_KEYS: "null" },
    ]
  ) {
    const keys = new Keys(
      wakeKeys(environment(values as Record<string, string>)),
    );
    assert.ok(!keys.admit(request({})));
    assert.ok(!keys.admit(request({ apikey: "" })));
    assert.ok(!keys.admit(request({ apikey: "undefined" })));
  }
});

Deno.test("a bearer token is one word", () => {
  assert.equal(bearer(request({ authorization: "Bearer abc.def" })), "abc.def");
  assert.equal(bearer(request({ authorization: "Bearer abc def" })), null);
  assert.equal(bearer(request({})), null);
});

Deno.test("the environment's own variables come first", () => {
  const both = environment({
    ORCHESTRA_DB_URL: "own",
    SUPABASE_DB_URL: "theirs",
  });
  assert.equal(databaseUrl(both), "own");
  assert.equal(
    databaseUrl(environment({ SUPABASE_DB_URL: "theirs" })),
    "theirs",
  );
  assert.throws(() => databaseUrl(environment({})), /ORCHESTRA_DB_URL/);
  const url = environment({ SUPABASE_URL: "http://kong:8000/" });
  assert.equal(authUrl(url), "http://kong:8000/auth/v1");
  assert.equal(
    publishableKey(environment({ SUPABASE_ANON_KEY: "anon" })),
    "anon",
  );
});
