// Keys of servers, legacy JWTs and sb_secret_ keys alike, compared as they are
// written: in a time that tells neither how much of a key was right nor how
// long it is, nor which of them it was.

import { createHash, timingSafeEqual } from "node:crypto";

const digest = (text: string) => createHash("sha256").update(text).digest();

export class Keys {
  readonly #digests: readonly Uint8Array[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.filter((key) => key !== "").map(digest);
  }

  /** Whether a request carries one of the keys, as `apikey` or as bearer. */
  admit(request: Request): boolean {
    const given = [request.headers.get("apikey"), bearer(request)];
    let known = false;
    for (const key of given) {
      const offered = digest(key ?? "");
      for (const expected of this.#digests) {
        known = timingSafeEqual(offered, expected) || known;
      }
    }
    return known;
  }
}

/** The token of `Authorization: Bearer …`, or null. */
export function bearer(request: Request): string | null {
  const [, token] = /^Bearer +([^\s]+)$/i.exec(
    request.headers.get("authorization") ?? "",
  ) ?? [];
  return token ?? null;
}
