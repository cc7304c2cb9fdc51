// Durations as they are written in a spec: 250ms 30s 5m 2h 7d.

type Unit = "ms" | "s" | "m" | "h" | "d";

/** A number of milliseconds, or a duration such as "250ms" or "10m". */
export type Delay = number | `${number}${Unit}`;

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds, rounded up; throws a RangeError for what is no duration. */
export function milliseconds(delay: Delay): number {
  let ms: number;
  if (typeof delay === "number") {
    ms = delay;
  } else {
    const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(delay) ?? [];
    ms = Number(count) * (UNITS[unit ?? ""] ?? NaN);
  }
  if (!Number.isFinite(ms) || ms < 0) {
    throw new RangeError(
      `${
        JSON.stringify(delay)
      } is no duration; write milliseconds, or 250ms 30s 5m 2h 7d`,
    );
  }
  return Math.ceil(ms);
}
