// What PostgreSQL's jsonb takes, which is a little less than JSON: no zero
// character, no half of a surrogate pair, no depth that overflows its stack. One
// such value in the report of a turn would fail the reports of all its
// neighbours, so it is found before.

// In what JSON.stringify writes, those and only those are written in this way;
// an even number of backslashes before one means that it is plain text.
const REFUSED = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

// A server with the usual 2 MB of stack takes several thousand.
const MOST_DEPTH = 1_000;

/** JSON text that jsonb takes; throws a TypeError that says what is wrong. */
export function toJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value ?? null);
  } catch (error) {
    if (error instanceof RangeError) throw new TypeError("is nested too deep");
    throw error;
  }
  if (text === undefined) {
    throw new TypeError(`a ${typeof value} cannot be written as JSON`);
  }
  if (REFUSED.test(text)) {
    throw new TypeError(
      "holds a zero character or half of a surrogate pair, which PostgreSQL's jsonb cannot store",
    );
  }
  if (isDeeper(text, MOST_DEPTH)) throw new TypeError("is nested too deep");
  return text;
}

function isDeeper(text: string, most: number): boolean {
  // Every level takes an opening and a closing character.
  if (text.length <= 2 * most) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case "[":
      case "{":
        if (++depth > most) return true;
        break;
      case "]":
      case "}":
        depth--;
        break;
    }
  }
  return false;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1;; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
}

/** The text without what PostgreSQL cannot store. */
export function storable(text: string): string {
  return text.replaceAll("\0", "\uFFFD").toWellFormed();
}
