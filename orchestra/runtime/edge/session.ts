// A slot that is held: numbers its turns, repeats one whose reply was lost until
// it is answered, and leaves.
//
// The same number again is the same turn, so repeating never settles or claims
// twice. It goes on even after the lease, until the isolate ends: reports are
// fenced by read_ct and stay good as long as nobody else has had the message.

import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Report } from "./outbox.ts";
import type { Leased } from "./pool.ts";
import type { Hold, Protocol, Slot, TurnReply } from "./protocol.ts";
import { persist } from "./retry.ts";

export interface SessionParts {
  readonly protocol: Protocol;
  readonly slot: Slot;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** When repeating ends, because the isolate does. */
  readonly endsAt: number;
}

export interface Answer extends Omit<TurnReply, "handouts"> {
  readonly items: Leased[];
}

const LONGEST_LEAVE_MS = 5_000;

export class Session {
  #seq = 0;

  constructor(private readonly parts: SessionParts) {}

  async turn(report: Report, want: number): Promise<Answer> {
    const { protocol, slot, leaseMs, clock, log, endsAt } = this.parts;
    const seq = ++this.#seq;
    // Counted from the first attempt: it may be the one that claimed.
    const leasedUntil = clock.now() + leaseMs;
    const { handouts, ...reply } = await persist(
      () => protocol.turn(slot, { seq, ...report, want }),
      {
        clock,
        until: endsAt,
        onRetry(error, attempt) {
          if (attempt === 1) log.warn("a turn is repeated", { seq, error });
        },
      },
    ).catch(async (error) => {
      // Whatever is the matter, it may be the claim: what has ended is told once
      // more by itself, or it would all be done again.
      await protocol.turn(slot, { seq, ...report, want: 0 }).catch(() => {});
      throw error;
    });
    for (const id of reply.late) {
      log.warn("reported too late, somebody else has had it", {
        message_id: id,
      });
    }
    return {
      ...reply,
      items: handouts.map((handout) => ({ ...handout, leasedUntil })),
    };
  }

  /** Hands back what was not started and frees the slot; never rejects. */
  async leave(backs: readonly Hold[]): Promise<void> {
    const { protocol, slot, clock, log } = this.parts;
    try {
      await persist(() => protocol.leave(slot, backs), {
        clock,
        until: clock.now() + LONGEST_LEAVE_MS,
      });
    } catch (error) {
      // The lease frees the slot then.
      log.warn("could not leave", { error });
    }
  }
}
