// A queue in memory that speaks the worker's protocol: slots with a token and a
// lease, fenced reports, turns that can be repeated, answers that take time or
// get lost on the way.

import { type Clock, sleep } from "../../orchestra/runtime/edge/clock.ts";
import type {
  Config,
  Entered,
  Failure,
  Handout,
  Hold,
  Protocol,
  Slot,
  Turn,
  TurnReply,
} from "../../orchestra/runtime/edge/protocol.ts";

interface Message {
  readonly id: string;
  readonly payload: unknown;
  readonly headers: Handout["headers"];
  ct: number;
  free: number;
  visibleAt: number;
  /** Its last hand-out ended without a word. */
  suspect: boolean;
}

export const CONFIG: Config = {
  handlers: 10,
  batch_size: 50,
  timeout_ms: 20_000,
  visibility_timeout_ms: 60_000,
  linger_ms: 2_000,
  cpu_ms: 0,
  max_attempts: 5,
  rate_limited: false,
  steps: null,
};

/** A fault that passes by itself. */
export function away(): Error {
  return Object.assign(new Error("gone"), { code: "ECONNRESET" });
}

export class FakeQueue implements Protocol {
  readonly done: string[] = [];
  readonly failures: Failure[] = [];
  readonly results = new Map<string, string>();
  readonly backs: Hold[] = [];
  readonly turns: Turn[] = [];
  readonly calls: string[] = [];
  looks = 0;
  verdict: TurnReply["verdict"] = "go";
  entry: Exclude<Entered["verdict"], "go"> | null = null;
  waitMs: number | null = null;
  /** How long an answer takes. */
  latencyMs = 2;
  /** Called before and after each call takes effect; may throw. */
  before: (call: string) => void = () => {};
  after: (call: string) => void = () => {};
  /** Ids that the next extend reports as lost. */
  lost: string[] = [];
  #messages: Message[] = [];
  #nextId = 1;
  #slot:
    | { token: string; seq: number; claim: Message[]; held: Set<string> }
    | null = null;
  #tokens = 0;

  constructor(
    private readonly clock: Clock,
    private readonly config: Partial<Config> = {},
  ) {}

  get waiting(): number {
    return this.#messages.length;
  }

  get held(): number {
    return this.#slot?.held.size ?? 0;
  }

  get taken(): boolean {
    return this.#slot !== null;
  }

  send(
    payload: unknown,
    { headers = null, suspect = false }: Partial<
      Pick<Message, "headers" | "suspect">
    > = {},
  ): string {
    const id = String(this.#nextId++);
    const visibleAt = this.clock.now();
    this.#messages.push({
      id,
      payload,
      headers,
      suspect,
      visibleAt,
      ct: suspect ? 1 : 0,
      free: 0,
    });
    return id;
  }

  /** So many messages, numbered from 0. */
  sendMany(count: number): void {
    for (let number = 0; number < count; number++) this.send(number);
  }

  /** Takes the slot away, as another worker would. */
  takeOver(): void {
    this.#slot = null;
  }

  enter(): Promise<Entered> {
    return this.#answer("enter", () => {
      if (this.entry !== null) return { verdict: this.entry };
      if (this.#slot !== null) return { verdict: "full" };
      const token = `token-${++this.#tokens}`;
      this.#slot = { token, seq: 0, claim: [], held: new Set() };
      return {
        verdict: "go",
        slot: { slot: 1, token },
        config: { ...CONFIG, ...this.config },
      };
    });
  }

  turn(slot: Slot, turn: Turn): Promise<TurnReply> {
    return this.#answer("turn", () => {
      this.turns.push(turn);
      const mine = this.#slot;
      const reply = { waitMs: null, alone: false, handouts: [], late: [] };
      if (mine?.token !== slot.token) {
        const late = this.#settle(turn);
        return { ...reply, verdict: "lost", late };
      }
      if (turn.seq === mine.seq) {
        const handouts = mine.claim.map(handout);
        return { ...reply, verdict: "go", handouts };
      }
      if (turn.seq !== mine.seq + 1) throw new Error("turns out of order");
      mine.seq = turn.seq;
      mine.claim = [];
      const late = this.#settle(turn);
      const drains = this.verdict !== "go";
      const { claim, alone } = drains
        ? { claim: [], alone: false }
        : this.#claim(turn.want, mine.held.size > 0);
      mine.claim = claim;
      for (const { id } of claim) mine.held.add(id);
      return {
        verdict: this.verdict,
        waitMs: claim.length < turn.want ? this.waitMs : null,
        alone,
        handouts: claim.map(handout),
        late,
      };
    });
  }

  extend(slot: Slot, holds: readonly Hold[]): Promise<readonly string[]> {
    return this.#answer("extend", () => {
      if (this.#slot?.token !== slot.token) return holds.map(({ id }) => id);
      const lost = this.lost.splice(0);
      for (const hold of holds) {
        const message = this.#find(hold);
        if (message === undefined) lost.push(hold.id);
        else message.visibleAt = this.clock.now() + this.#leaseMs;
      }
      return lost;
    });
  }

  look(): Promise<void> {
    this.looks++;
    return Promise.resolve();
  }

  leave(slot: Slot, backs: readonly Hold[]): Promise<void> {
    // Noted when it is sent, which is all that a shutdown waits for.
    this.calls.push(`leave(${backs.map(({ id }) => id)})`);
    return this.#answer("", () => {
      this.#giveBack(backs);
      const mine = this.#slot;
      if (mine?.token !== slot.token) return;
      if (mine.held.size === 0) this.#slot = null;
    });
  }

  async #answer<T>(call: string, effect: () => T): Promise<T> {
    if (call !== "") this.calls.push(call);
    await sleep(this.clock, this.latencyMs / 2);
    this.before(call);
    const answer = effect();
    await sleep(this.clock, this.latencyMs / 2);
    this.after(call);
    return answer;
  }

  get #leaseMs(): number {
    return this.config.visibility_timeout_ms ?? CONFIG.visibility_timeout_ms;
  }

  #claim(want: number, company: boolean): { claim: Message[]; alone: boolean } {
    const now = this.clock.now();
    const claim: Message[] = [];
    for (const message of this.#messages) {
      if (message.visibleAt > now) continue;
      if (claim.length >= want) break;
      if (message.suspect && (company || claim.length > 0)) break;
      message.ct++;
      message.visibleAt = now + this.#leaseMs;
      claim.push(message);
      if (message.suspect) return { claim, alone: true };
    }
    return { claim, alone: false };
  }

  #settle({ acks, results, fails, backs }: Turn): string[] {
    const late: string[] = [];
    for (const hold of acks) {
      if (this.#remove(hold)) this.done.push(hold.id);
      else late.push(hold.id);
    }
    for (const [id, text] of results) this.results.set(id, text);
    for (const failure of fails) {
      const message = this.#find(failure);
      if (message === undefined) late.push(failure.id);
      else this.failures.push(failure);
      const { code, snooze_ms } = failure;
      if (code === "ORC01") this.#remove(failure);
      else if (message !== undefined) {
        message.visibleAt = this.clock.now() + (snooze_ms ?? 60_000);
        message.free += snooze_ms === null ? 0 : 1;
      }
      this.#slot?.held.delete(failure.id);
    }
    this.#giveBack(backs);
    return late;
  }

  #giveBack(holds: readonly Hold[]): void {
    for (const hold of holds) {
      const message = this.#find(hold);
      if (message === undefined) continue;
      message.visibleAt = this.clock.now();
      message.free++;
      this.backs.push({ id: hold.id, ct: hold.ct });
      this.#slot?.held.delete(hold.id);
    }
  }

  #find({ id, ct }: Hold): Message | undefined {
    return this.#messages.find((each) => each.id === id && each.ct === ct);
  }

  #remove(hold: Hold): boolean {
    const message = this.#find(hold);
    if (message === undefined) return false;
    this.#messages.splice(this.#messages.indexOf(message), 1);
    this.#slot?.held.delete(hold.id);
    return true;
  }
}

function handout({ id, ct, free, payload, headers }: Message): Handout {
  return { id, ct, attempt: ct - free, payload, headers };
}
