// Doors of queues, as functions from request to response.

import assert from "node:assert/strict";
import { doorway } from "../../orchestra/runtime/edge/door.ts";
import { type Gate, gate } from "../../orchestra/runtime/edge/gate.ts";
import { verify } from "../../orchestra/runtime/edge/hmac/sha256.ts";
import { Keys } from "../../orchestra/runtime/edge/keys.ts";
import { Refusal } from "../../orchestra/runtime/edge/respond.ts";
import type { Door } from "../../orchestra/runtime/edge/types.ts";
import { validator } from "../../orchestra/runtime/edge/validate.ts";
import { createHmac } from "node:crypto";
import { memoryLog } from "./fake_isolate.ts";
import { away } from "./fake_queue.ts";
import { post, read, stream, WORKER_KEY } from "./requests.ts";

const SCHEMA = {
  type: "object",
  properties: { n: { type: "integer" } },
  required: ["n"],
};

interface Sent {
  readonly items: readonly unknown[];
  readonly caller: string | null;
}

function openDoor(
  auth: Door["auth"] = "none",
  fault?: () => never,
): {
  sent: Sent[];
  lines: unknown[];
  answer: (request: Request) => Promise<Response>;
} {
  const sent: Sent[] = [];
  const { log, lines } = memoryLog();
  const answer = doorway({
    door: { auth, maxItems: 3 },
    gate: gateOf(auth),
    validate: validator(SCHEMA),
    log,
    enqueue: (items, caller) => {
      fault?.();
      sent.push({ items, caller });
      const ids = items.map((_, index) => String(index + 1));
      return Promise.resolve({ ids, run: items.length > 1 ? "7" : null });
    },
  });
  return { sent, lines, answer };
}

function gateOf(auth: Door["auth"]): Gate {
  return gate(auth, {
    keys: new Keys([WORKER_KEY]),
    secrets: (name) =>
      name === "hook"
        ? Promise.resolve("hook secret")
        : Promise.reject(new Error("no secret")),
    verify,
    identifier: () => (request) =>
      request.headers.get("authorization") === "Bearer good"
        ? Promise.resolve("user-1")
        : Promise.reject(Refusal.unauthorized()),
  });
}

Deno.test("one item", async () => {
  const { sent, answer } = openDoor();
  assert.deepEqual(await read(await answer(post({ n: 1 }))), [
    202,
    { status: "queued", ids: ["1"], run: null, count: 1 },
  ]);
  assert.deepEqual(sent, [{ items: [{ n: 1 }], caller: null }]);
});

Deno.test("several items, and none", async () => {
  const { sent, answer } = openDoor();
  assert.deepEqual(
    await read(await answer(post({ items: [{ n: 1 }, { n: 2 }] }))),
    [
      202,
      { status: "queued", ids: ["1", "2"], run: "7", count: 2 },
    ],
  );
  assert.deepEqual(await read(await answer(post({ items: [] }))), [
    202,
    { status: "queued", ids: [], run: null, count: 0 },
  ]);
  assert.equal(sent.length, 1);
});

Deno.test("a payload that has items beside other things is one item", async () => {
  const { sent, answer } = openDoor();
  const order = { n: 1, items: [1, 2, 3, 4, 5] };
  assert.equal((await answer(post(order))).status, 202);
  assert.deepEqual(sent[0]?.items, [order]);
});

Deno.test("all or none: a fault names the item and the place in it", async () => {
  const { sent, answer } = openDoor();
  const [status, body] = await read(
    await answer(post({ items: [{ n: 1 }, { n: "2" }, {}] })),
  );
  assert.equal(status, 422);
  assert.equal(body["error"], "the payload is not as its schema says");
  const faults = body["items"] as {
    index: number;
    path: string;
    message: string;
  }[];
  assert.deepEqual(faults.map(({ index, path }) => [index, path]), [[1, "/n"], [
    2,
    "",
  ]]);
  assert.ok(faults.every(({ message }) => message.length > 0));
  assert.equal(sent.length, 0);
});

Deno.test("too many, too large, no JSON, no text, the wrong method", async () => {
  const { sent, answer } = openDoor();
  const item = { n: 1 };
  assert.equal(
    (await answer(post({ items: [item, item, item, item] }))).status,
    413,
  );
  const large = new Request("http://localhost/", {
    method: "POST",
    body: stream(20 * 1024 * 1024 + 1),
  });
  assert.equal((await answer(large)).status, 413);
  assert.equal((await answer(post("{"))).status, 400);
  assert.equal((await answer(post(""))).status, 400);
  assert.equal((await answer(post(new Uint8Array([0xff])))).status, 400);
  for (const method of ["GET", "PUT", "DELETE", "PATCH"]) {
    const response = await answer(new Request("http://localhost/", { method }));
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "POST, OPTIONS");
  }
  assert.equal(sent.length, 0);
});

Deno.test("6 MB are no trouble", async () => {
  const { sent, answer } = openDoor();
  const payload = { n: 1, text: "x".repeat(6 * 1024 * 1024) };
  assert.equal((await answer(post(payload))).status, 202);
  assert.equal(sent.length, 1);
});

Deno.test("browsers may ask before, and read every answer", async () => {
  const { answer } = openDoor("secret");
  const asked = await answer(
    new Request("http://localhost/", { method: "OPTIONS" }),
  );
  assert.equal(asked.status, 204);
  assert.match(
    asked.headers.get("access-control-allow-headers") ?? "",
    /authorization/,
  );
  const wanted = "apikey, content-type, x-of-a-newer-client";
  const again = await answer(
    new Request("http://localhost/", {
      method: "OPTIONS",
      headers: { "access-control-request-headers": wanted },
    }),
  );
  assert.equal(again.headers.get("access-control-allow-headers"), wanted);
  for (const response of [asked, await answer(post({ n: 1 }))]) {
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
  }
});

Deno.test("a key, a token or a signature, as the door asks", async () => {
  const body = JSON.stringify({ n: 1 });
  const signature = createHmac("sha256", "hook secret").update(body).digest(
    "hex",
  );
  const right: [Door["auth"], Record<string, string>][] = [
    ["secret", { apikey: WORKER_KEY }],
    ["jwt", { authorization: "Bearer good" }],
    [{ header: "x-signature", vault: "hook" }, { "x-signature": signature }],
  ];
  for (const [auth, headers] of right) {
    const { sent, answer } = openDoor(auth);
    assert.equal((await answer(post(body, headers))).status, 202);
    assert.equal(sent[0]?.caller, auth === "jwt" ? "user-1" : null);
    for (
      const wrong of [
        {},
        Object.fromEntries(Object.keys(headers).map((h) => [h, "x"])),
      ]
    ) {
      const response = await answer(post(body, wrong));
      assert.equal(response.status, 401);
      assert.deepEqual(await response.json(), { error: "not authorized" });
    }
    assert.equal(sent.length, 1);
  }
});

Deno.test("a secret that is not in Vault is our fault, not the caller's", async () => {
  const { lines, answer } = openDoor({
    header: "x-signature",
    vault: "missing",
  });
  const [status, body] = await read(
    await answer(post({ n: 1 }, { "x-signature": "00" })),
  );
  assert.deepEqual([status, body], [500, { error: "internal error" }]);
  assert.match(JSON.stringify(lines), /no secret/);
});

Deno.test("a door that needs a signature is not opened without its check", () => {
  assert.throws(() =>
    gate({ header: "x-signature", vault: "hook" }, {
      keys: new Keys([]),
      secrets: () => Promise.resolve(""),
      verify: undefined,
      identifier: () => () => Promise.resolve(""),
    }), /needs \{ verify \}/);
});

Deno.test("what the database says stays with us", async () => {
  const failing = (error: Error) =>
    openDoor("none", () => {
      throw error;
    });
  const gone = await failing(away()).answer(post({ n: 1 }));
  assert.equal(gone.status, 503);
  assert.equal(gone.headers.get("retry-after"), "5");
  const data = Object.assign(new Error("bad"), { code: "22P05" });
  assert.equal((await failing(data).answer(post({ n: 1 }))).status, 422);
  const secret = Object.assign(new Error("relation secret_table"), {
    code: "42P01",
  });
  const { lines, answer } = failing(secret);
  const [status, body] = await read(await answer(post({ n: 1 })));
  assert.deepEqual([status, body], [500, { error: "internal error" }]);
  assert.match(JSON.stringify(lines), /relation secret_table/);
});

Deno.test("no payload is ever in the log", async () => {
  const { lines, answer } = openDoor();
  for (
    const body of [
      '{"n":"hunter2"}',
      "hunter2",
      '{"items":[{"n":1,"p":"hunter2"}]}',
    ]
  ) {
    await answer(post(body));
  }
  assert.ok(lines.length > 0);
  assert.doesNotMatch(JSON.stringify(lines), /hunter2/);
});
