// Signatures of webhooks: right ones, wrong ones, old ones, in every scheme.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { sign } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { verify as github } from "../../orchestra/runtime/edge/hmac/github.ts";
import { verify as sha256 } from "../../orchestra/runtime/edge/hmac/sha256.ts";
import { verify as standard } from "../../orchestra/runtime/edge/hmac/standard-webhooks.ts";
import { verify as stripe } from "../../orchestra/runtime/edge/hmac/stripe.ts";
import type { Verify } from "../../orchestra/runtime/edge/hmac/verify.ts";

const BODY = '{"id":"evt_1","name":"Ünïcödé 😀"}';
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const bytes = (text: string) => new TextEncoder().encode(text);
const seconds = (ago: number) => Math.floor(Date.now() / 1000) - ago;

function hmac(
  encoding: "hex" | "base64",
  body: string | Uint8Array = BODY,
): string {
  return createHmac("sha256", SECRET).update(body).digest(encoding);
}

function standardHeaders(at = new Date(), prefix = "webhook"): Headers {
  return new Headers({
    [`${prefix}-id`]: "msg_1",
    [`${prefix}-timestamp`]: String(Math.floor(at.getTime() / 1000)),
    [`${prefix}-signature`]: new Webhook(SECRET).sign("msg_1", at, BODY),
  });
}

function stripeHeader(ago: number): Promise<string> {
  return Stripe.webhooks.generateTestHeaderStringAsync(
    {
      payload: BODY,
      secret: SECRET,
      timestamp: seconds(ago),
      cryptoProvider: Stripe.createSubtleCryptoProvider(),
    } as Parameters<typeof Stripe.webhooks.generateTestHeaderStringAsync>[0],
  );
}

interface Scheme {
  readonly verify: Verify;
  readonly header: string;
  signed(): Promise<Headers> | Headers;
}

const SCHEMES: Record<string, Scheme> = {
  github: {
    verify: github,
    header: "x-hub-signature-256",
    signed: async () =>
      new Headers({ "x-hub-signature-256": await sign(SECRET, BODY) }),
  },
  stripe: {
    verify: stripe,
    header: "stripe-signature",
    signed: async () =>
      new Headers({ "stripe-signature": await stripeHeader(0) }),
  },
  "standard-webhooks": {
    verify: standard,
    header: "webhook-signature",
    signed: () => standardHeaders(),
  },
  sha256: {
    verify: sha256,
    header: "x-signature",
    signed: () => new Headers({ "x-signature": hmac("hex") }),
  },
};

for (const [name, { verify, header, signed }] of Object.entries(SCHEMES)) {
  Deno.test(`${name}: a right signature, over the very bytes`, async () => {
    const headers = await signed();
    assert.ok(await verify(bytes(BODY), headers, header, SECRET));
    assert.ok(await verify(bytes(BODY), headers, header.toUpperCase(), SECRET));
    for (
      const body of [BODY + " ", BODY.replace("1", "2"), "\ufeff" + BODY, ""]
    ) {
      assert.equal(
        await verify(bytes(body), headers, header, SECRET),
        false,
        body,
      );
    }
    const other = "whsec_" + btoa("another secret of the tests");
    assert.equal(await verify(bytes(BODY), headers, header, other), false);
  });

  Deno.test(`${name}: what is no signature`, async () => {
    const headers = await signed();
    for (
      const wrong of [
        "",
        "sha256=",
        "v1,",
        "t=1,v1=",
        "nonsense",
        "sha256=zz",
        "=,=",
      ]
    ) {
      headers.set(header, wrong);
      assert.equal(
        await verify(bytes(BODY), headers, header, SECRET),
        false,
        wrong,
      );
    }
    headers.delete(header);
    assert.equal(await verify(bytes(BODY), headers, header, SECRET), false);
  });

  Deno.test(`${name}: a body that is no text`, async () => {
    const body = new Uint8Array([0xff, 0xfe, 0x00]);
    assert.equal(await verify(body, await signed(), header, SECRET), false);
  });
}

Deno.test("stripe: five minutes old at most", async () => {
  const header = "stripe-signature";
  for (const [ago, good] of [[290, true], [310, false]] as const) {
    const headers = new Headers({ [header]: await stripeHeader(ago) });
    assert.equal(await stripe(bytes(BODY), headers, header, SECRET), good);
  }
});

Deno.test("standard-webhooks: five minutes off at most, either way", async () => {
  for (
    const [ago, good] of [[290, true], [310, false], [-290, true], [
      -310,
      false,
    ]] as const
  ) {
    const headers = standardHeaders(new Date(Date.now() - ago * 1000));
    const verdict = await standard(
      bytes(BODY),
      headers,
      "webhook-signature",
      SECRET,
    );
    assert.equal(verdict, good, `${ago}`);
  }
});

Deno.test("standard-webhooks: the neighbours have the signature's prefix", async () => {
  const headers = standardHeaders(new Date(), "svix");
  assert.ok(await standard(bytes(BODY), headers, "svix-signature", SECRET));
  assert.ok(!await standard(bytes(BODY), headers, "webhook-signature", SECRET));
});

Deno.test("standard-webhooks: a secret that is no base64 is said to be one", () => {
  assert.throws(() =>
    standard(bytes(BODY), standardHeaders(), "webhook-signature", "whsec_!")
  );
});

Deno.test("sha256: hex and base64, with and without its name", async () => {
  for (
    const value of [hmac("hex"), hmac("hex").toUpperCase(), hmac("base64")]
  ) {
    for (const written of [value, `sha256=${value}`]) {
      const headers = new Headers({ "x-signature": written });
      assert.ok(
        await sha256(bytes(BODY), headers, "x-signature", SECRET),
        written,
      );
    }
  }
  const binary = new Uint8Array([0, 255, 1]);
  const headers = new Headers({ "x-signature": hmac("hex", binary) });
  assert.ok(await sha256(binary, headers, "x-signature", SECRET));
});
