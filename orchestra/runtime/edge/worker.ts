// A worker in its slot: takes turns until there is nothing more to do or no more
// time to do it in, and leaves. One loop; handlers run beside it.

import { Asking } from "./asking.ts";
import { type Lifetime, mayTake } from "./boot.ts";
import { Bell, type Clock } from "./clock.ts";
import { type Cpu, EMPTY_TURN_MS } from "./cpu.ts";
import type { ShutdownHook } from "./isolate.ts";
import type { Task, Verdict } from "./job.ts";
import { Leases } from "./leases.ts";
import type { Log } from "./log.ts";
import { Outbox } from "./outbox.ts";
import { type Limits, type Moment, pace } from "./pace.ts";
import { type Leased, Pool } from "./pool.ts";
import type { Config, Handout, Protocol, Slot } from "./protocol.ts";
import { type Answer, Session } from "./session.ts";
import type { Neighbour, Solitude } from "./solitude.ts";

/** How a message becomes something to run. */
export type Dispatch = (item: Handout, config: Config) => Task;

export interface WorkerParts {
  readonly protocol: Protocol;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly life: Lifetime;
  readonly cpu: Cpu;
  readonly log: Log;
  /** Shared by all workers of the isolate. */
  readonly solitude: Solitude;
  onShutdown(hook: ShutdownHook): () => void;
}

export class Worker {
  readonly #bell: Bell;
  readonly #outbox = new Outbox();
  readonly #pool: Pool;
  readonly #session: Session;
  readonly #leases: Leases;
  readonly #self: Neighbour;
  readonly #limits: Limits;
  readonly #asking: Asking;
  /** The longest that a message may take. */
  readonly #longestMs: number;
  #stopping: string | null = null;
  #lost = false;
  #turning = false;
  #handled = 0;

  constructor(
    private readonly parts: WorkerParts,
    slot: Slot,
    private readonly config: Config,
  ) {
    const { protocol, dispatch, clock, life } = parts;
    const log = parts.log;
    const leaseMs = config.visibility_timeout_ms;
    this.#bell = new Bell(clock);
    this.#limits = {
      handlers: config.handlers,
      batchSize: config.batch_size,
      rateLimited: config.rate_limited,
      lingerMs: config.linger_ms,
      takeUntil: life.takeUntil,
    };
    this.#asking = new Asking(this.#limits, clock.now());
    this.#longestMs = Math.max(
      config.timeout_ms,
      ...Object.values(config.steps ?? {}).map((step) => step.timeout_ms),
    );
    this.#pool = new Pool({
      handlers: config.handlers,
      clock,
      log,
      task: (item) => dispatch(item, config),
      mayStart: () => parts.solitude.allows(this.#self),
      onVerdict: (item, verdict) => {
        this.#handled++;
        tell(log, item, verdict);
        this.#outbox.report(item, verdict, clock.now());
      },
      onFree: () => {
        this.#asking.worked(clock.now());
        this.#bell.ring();
        parts.solitude.ended(this.#self);
      },
    });
    this.#self = {
      isBusy: () =>
        this.#pool.running > 0 || this.#outbox.size > 0 || this.#turning,
      withdraw: () => {
        this.#handBack(this.#pool.takeBuffer());
        this.#bell.ring();
      },
      look: () => {
        this.#pool.fill();
        this.#bell.ring();
      },
    };
    this.#session = new Session({
      protocol,
      slot,
      leaseMs,
      clock,
      log,
      endsAt: life.endsAt,
    });
    this.#leases = new Leases({
      protocol,
      slot,
      leaseMs,
      clock,
      log,
      held: () => this.#pool.held(),
      onLost: (hold, why) => {
        // It may have been acknowledged while its renewal was under way.
        if (!this.#pool.lose(hold, why)) return;
        log.warn("a message was lost", { message_id: hold.id, why });
        this.#bell.ring();
      },
    });
  }

  /** Why it has ended; null when there was nothing more to do. */
  async run(): Promise<string | null> {
    const unhook = this.parts.onShutdown((reason) => this.#shutDown(reason));
    const depart = this.parts.solitude.join(this.#self);
    const leasing = this.#leases.keep();
    try {
      await this.#loop();
    } catch (error) {
      this.parts.log.error("a worker gives up", { error });
      this.#stop("it gave up");
      this.#abandon("its worker gave up");
      await this.#sendRest().catch(() => {});
    } finally {
      unhook();
      this.#turning = true;
      this.#leases.stop();
      await leasing;
      if (!this.#lost) await this.#session.leave(this.#outbox.take().backs);
      depart();
      this.parts.log.debug("a worker has left", {
        handled: this.#handled,
        why: this.#stopping ?? "nothing to do",
      });
    }
    return this.#stopping;
  }

  async #loop(): Promise<void> {
    while (!this.#lost) {
      this.#lookAtTheTime();
      const step = pace(this.#limits, this.#moment());
      if (step.do === "leave") return;
      if (step.do === "turn") await this.#turn(step.want);
      else await this.#bell.wait(Math.max(step.ms, 1));
    }
    // Whoever has lost the slot may report: what nobody else has had is settled.
    await this.#sendRest();
  }

  async #sendRest(): Promise<void> {
    while (this.#outbox.size > 0) await this.#send(0);
  }

  /** Sends what there is to report; the answer of that turn. */
  #send(want: number): Promise<Answer> {
    this.#turning = true;
    return this.#session.turn(this.#outbox.take(), want)
      .finally(() => this.#turning = false);
  }

  async #turn(want: number): Promise<void> {
    const { clock, cpu, log } = this.parts;
    const sentAt = clock.now();
    const reports = this.#outbox.size > 0;
    const answer = await this.#send(want);
    const { verdict, items } = answer;
    if (verdict === "lost") {
      log.warn("the slot was lost");
      this.#lost = true;
      this.#stop("lost");
      this.#abandon("its worker lost the slot");
      return;
    }
    this.#leases.renewedSlot(sentAt);
    const now = clock.now();
    cpu.take(this.config.cpu_ms, items.length);
    if (items.length === 0 && !reports) cpu.take(EMPTY_TURN_MS, 1);
    this.#asking.answered(answer, want, now);
    // The reply may have been lost for as long as the lease was.
    const ours = items.filter(({ leasedUntil }) => leasedUntil > now);
    const over = items.filter(({ leasedUntil }) => leasedUntil <= now);
    this.#handBack(over);
    if (this.#hasIsolate(answer.alone, ours)) this.#pool.add(ours);
    else this.#handBack(ours);
    if (verdict !== "go") this.#stop(verdict);
    else if (this.#stopping !== null) this.#handBack(this.#pool.takeBuffer());
    this.parts.solitude.ended(this.#self);
  }

  // A message that may have killed its worker gets the isolate, or goes back; and
  // what comes while another worker has the isolate goes back too.
  #hasIsolate(alone: boolean, items: readonly Leased[]): boolean {
    const { solitude } = this.parts;
    if (alone && items.some(({ attempt }) => attempt > 1)) {
      return solitude.ask(this.#self);
    }
    if (!alone) solitude.release(this.#self);
    return !solitude.isTakenFrom(this.#self);
  }

  #moment(): Moment {
    const { clock, cpu, solitude } = this.parts;
    return {
      now: clock.now(),
      running: this.#pool.running,
      stuck: this.#pool.stuck,
      buffered: this.#pool.buffered,
      unsettled: this.#outbox.size,
      unsettledSince: this.#outbox.since,
      jobMs: this.#pool.jobMs,
      room: solitude.isTakenFrom(this.#self) ? 0 : cpu.room(this.config.cpu_ms),
      stopping: this.#stopping !== null,
      ...this.#asking.state,
    };
  }

  #lookAtTheTime(): void {
    const { clock, cpu, life } = this.parts;
    if (!mayTake(life, clock.now(), this.#longestMs)) {
      this.#stop("deadline");
    } else if (
      this.#pool.buffered === 0 && cpu.room(this.config.cpu_ms) === 0
    ) {
      this.#stop("cpu");
    }
  }

  /** Takes no more; what runs is finished and settled. */
  #stop(why: string): void {
    this.#stopping ??= why;
    this.#pool.close();
    this.#handBack(this.#pool.takeBuffer());
  }

  #handBack(items: readonly Leased[]): void {
    this.parts.cpu.giveBack(this.config.cpu_ms, items.length);
    this.#outbox.handBack(items);
  }

  /** Nobody waits for what a shutdown starts: the hand-back is sent at once. */
  #shutDown(reason: string): void {
    this.parts.log.warn("the isolate is shut down", { reason });
    this.#session.leave(this.#pool.takeBuffer());
    this.#stop(`shutdown: ${reason}`);
    this.#bell.ring();
  }

  #abandon(why: string): void {
    for (const item of this.#pool.held()) this.#pool.lose(item, why);
  }
}

// What has failed is told where the team looks first; the database keeps it too.
function tell(log: Log, { id, attempt }: Leased, verdict: Verdict): void {
  if (verdict.done) return;
  const { error, code, snoozeMs } = verdict;
  const about = { message_id: id, attempt, error };
  if (snoozeMs !== null) log.info("snoozed", { ...about, snooze_ms: snoozeMs });
  else log.warn("an attempt failed", { ...about, code });
}
