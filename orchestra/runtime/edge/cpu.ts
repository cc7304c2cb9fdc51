// The isolate's CPU, by count: an isolate gets 2 s of it and is killed beyond,
// and nothing in it can read how much it has used. Every message counts as much
// as its workload says, and half is kept in reserve. All loops of an isolate
// share one count.

const LIMIT_MS = 2_000;

/** What a turn costs that finds nothing: lingering is not for nothing either. */
export const EMPTY_TURN_MS = 1;

export class Cpu {
  #left: number;

  constructor(private readonly limitMs: number = LIMIT_MS) {
    this.#left = limitMs / 2;
  }

  /** How many more messages of `cpuMs` may be taken. */
  room(cpuMs: number): number {
    return cpuMs === 0 ? Infinity : Math.max(Math.floor(this.#left / cpuMs), 0);
  }

  take(cpuMs: number, messages: number): void {
    this.#left -= cpuMs * messages;
  }

  /** For messages that were handed back unstarted. */
  giveBack(cpuMs: number, messages: number): void {
    this.#left += cpuMs * messages;
  }

  /**
   * A wake-up has reached this isolate. The platform measures what is only
   * estimated here, and sends nothing to an isolate that it has retired; so
   * one that has spent its count gets a further quarter, or it would turn
   * away every wake-up until half of its wall clock is over.
   */
  wake(): void {
    this.#left = Math.max(this.#left, this.limitMs / 4);
  }
}
