// A plain HMAC-SHA256 of the body, in hex or base64, with or without `sha256=`
// before it. It carries no time, so there is no window for replays.

import { decodeBase64, decodeHex } from "./decode.ts";
import type { Verify } from "./verify.ts";

export const verify: Verify = async (body, headers, header, secret) => {
  const written = (headers.get(header) ?? "").replace(/^sha256=/i, "");
  const signature = decodeHex(written) ?? decodeBase64(written);
  if (signature === null || signature.length !== 32) return false;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    algorithm,
    false,
    ["verify"],
  );
  return await crypto.subtle.verify(algorithm, key, signature, body);
};
