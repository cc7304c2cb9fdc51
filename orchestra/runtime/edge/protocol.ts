// What a worker and the database say to each other, as types. Ids are bigint in
// the database and text here. protocol_sql.ts says it to a real database.

/** A hand-out: a message's id and its read_ct, which fences every report. */
export interface Hold {
  readonly id: string;
  readonly ct: number;
}

export interface StepConfig {
  readonly timeout_ms: number;
  /** Whether the step's answer is kept for the steps after it. */
  readonly result: boolean;
  /** Whether it begins a run, and so takes the run's payload. */
  readonly input?: boolean;
}

/** A slot's limits, as they are in the database now. */
export interface Config {
  /** Handlers at once in this slot. */
  readonly handlers: number;
  readonly batch_size: number;
  readonly timeout_ms: number;
  readonly visibility_timeout_ms: number;
  readonly linger_ms: number;
  readonly cpu_ms: number;
  readonly max_attempts: number;
  readonly rate_limited: boolean;
  readonly steps: Readonly<Record<string, StepConfig>> | null;
}

export interface Slot {
  readonly slot: number;
  readonly token: string;
}

export type Entered =
  | { readonly verdict: "go"; readonly slot: Slot; readonly config: Config }
  | { readonly verdict: "full" | "paused" | "drain" | "foreign" | "unknown" };

export interface Failure extends Hold {
  readonly error: string;
  /** ORC01 is permanent. */
  readonly code: "ORC01" | "timeout" | null;
  readonly snooze_ms: number | null;
}

/** A turn: reports what became of messages, and wants others. */
export interface Turn {
  readonly seq: number;
  readonly acks: readonly Hold[];
  /** JSON text of what acknowledged messages answered, by id. */
  readonly results: ReadonlyMap<string, string>;
  readonly fails: readonly Failure[];
  readonly backs: readonly Hold[];
  readonly want: number;
}

/** A message as it is handed out. */
export interface Handout extends Hold {
  readonly attempt: number;
  readonly payload: unknown;
  readonly headers: Readonly<Record<string, unknown>> | null;
}

export interface TurnReply {
  readonly verdict: "go" | "drain" | "lost" | "foreign";
  /** When a rate limit allows the next; null where none is in the way. */
  readonly waitMs: number | null;
  /** What is held must have no company. */
  readonly alone: boolean;
  readonly handouts: readonly Handout[];
  /** Reports that came too late: somebody else has had the message since. */
  readonly late: readonly string[];
}

/** One attempt each; whoever calls decides what to repeat. */
export interface Protocol {
  enter(): Promise<Entered>;
  turn(slot: Slot, turn: Turn): Promise<TurnReply>;
  /** Renews slot and messages; answers the ids that are lost. */
  extend(slot: Slot, holds: readonly Hold[]): Promise<readonly string[]>;
  leave(slot: Slot, backs: readonly Hold[]): Promise<void>;
  /** Wakes a worker where work is waiting and nobody is there to find it. */
  look(): Promise<void>;
}
