// The body of a request: read up to a limit, and as JSON.

import { Refusal } from "./respond.ts";

const MOST_BYTES = 20 * 1024 * 1024;

/** All bytes of the body; refused as soon as they are too many. */
export async function readBody(
  request: Request,
  most = MOST_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () => new Refusal(413, `the body is over ${most} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > most) {
    throw tooLarge();
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.byteLength;
    if (size > most) throw tooLarge();
    parts.push(part);
  }
  const body = new Uint8Array(size);
  let end = 0;
  for (const part of parts) {
    body.set(part, end);
    end += part.byteLength;
  }
  return body;
}

export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    // The parser's own words would repeat a piece of the payload.
    throw new Refusal(400, "the body is not JSON");
  }
}
