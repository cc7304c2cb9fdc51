// GitHub's scheme: `sha256=<hex>` of the body. It carries no time, so there is
// no window for replays; deliveries have an id that a handler can remember.

import { verify as check } from "@octokit/webhooks-methods";
import { text, type Verify } from "./verify.ts";

export const verify: Verify = async (body, headers, header, secret) => {
  const signature = headers.get(header);
  const payload = text(body);
  if (!payload || !/^sha256=[0-9a-f]{64}$/i.test(signature ?? "")) return false;
  return await check(secret, payload, signature ?? "");
};
