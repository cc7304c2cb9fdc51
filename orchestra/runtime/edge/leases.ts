// Keeps the slot and its messages ours while handlers run: renews them at a third
// of the lease, every 10 s at least, and finds out what is no longer ours.

import { Bell, type Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Leased } from "./pool.ts";
import type { Hold, Protocol, Slot } from "./protocol.ts";

const LONGEST_PERIOD_MS = 10_000;

// A slot that holds nothing is ours for 5 s after a turn.
const EMPTY_PERIOD_MS = 1_500;

export interface LeaseParts {
  readonly protocol: Protocol;
  readonly slot: Slot;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: Log;
  held(): Leased[];
  onLost(lost: Hold, why: string): void;
}

export class Leases {
  readonly #bell: Bell;
  readonly #periodMs: number;
  #renewedAt: number;
  #stopped = false;
  #failing = false;
  #renewing = false;

  constructor(private readonly parts: LeaseParts) {
    this.#bell = new Bell(parts.clock);
    this.#periodMs = Math.min(parts.leaseMs / 3, LONGEST_PERIOD_MS);
    this.#renewedAt = parts.clock.now();
  }

  /** The slot was renewed by a call that began at `at`. */
  renewedSlot(at: number): void {
    this.#renewedAt = Math.max(this.#renewedAt, at);
  }

  stop(): void {
    this.#stopped = true;
    this.#bell.ring();
  }

  /** Goes on until stopped; never rejects. */
  async keep(): Promise<void> {
    let renewal = Promise.resolve();
    while (!this.#stopped) {
      const items = this.parts.held();
      // Not waited for: while an answer hangs, leases run out all the same.
      if (!this.#renewing && this.#isDue(items)) renewal = this.#renew(items);
      this.#dropExpired();
      await this.#bell.wait(Math.min(this.#periodMs / 4, 500));
    }
    await renewal;
  }

  #isDue(items: readonly Leased[]): boolean {
    const { clock, leaseMs } = this.parts;
    const now = clock.now();
    return items.length === 0
      ? now - this.#renewedAt >= Math.min(EMPTY_PERIOD_MS, this.#periodMs)
      : items.some((item) =>
        now - (item.leasedUntil - leaseMs) >= this.#periodMs
      );
  }

  // A lease that could not be renewed in time: somebody else may have the message
  // from now on, so its handler has to stop.
  #dropExpired(): void {
    const { clock, held, onLost } = this.parts;
    for (const item of held()) {
      if (item.leasedUntil <= clock.now()) onLost(item, "its lease ran out");
    }
  }

  async #renew(items: Leased[]): Promise<void> {
    const { protocol, slot, clock, log, leaseMs, onLost } = this.parts;
    const sentAt = clock.now();
    this.#renewing = true;
    try {
      const lost = new Set(await protocol.extend(slot, items));
      this.#failing = false;
      this.renewedSlot(sentAt);
      for (const item of items) {
        if (lost.has(item.id)) onLost(item, "its lease was lost");
        else item.leasedUntil = sentAt + leaseMs;
      }
    } catch (error) {
      // Asked again at the next look, until the leases are over.
      if (!this.#failing) log.warn("leases cannot be renewed", { error });
      this.#failing = true;
    } finally {
      this.#renewing = false;
    }
  }
}
