// What a signature scheme is to the door.

/**
 * Whether `body`, byte for byte, was signed with `secret`. The signature is in
 * the named header, compared in constant time. False for a signature that is
 * missing, wrong or too old; throws only for a secret that is unusable.
 */
export type Verify = (
  body: Uint8Array<ArrayBuffer>,
  headers: Headers,
  header: string,
  secret: string,
) => Promise<boolean>;

/** The body as text, or null: what is no UTF-8 cannot have been signed as text. */
export function text(body: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(body);
  } catch {
    return null;
  }
}
