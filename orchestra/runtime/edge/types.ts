// The public types: what generated code declares, and what handlers are.

import type { FromSchema, JSONSchema } from "json-schema-to-ts";
import type { Sql } from "postgres";
import type { Verify } from "./hmac/verify.ts";
import type { Log } from "./log.ts";

/** A secret in Vault under whose key the named header signs the body. */
export interface Signature {
  readonly header: string;
  readonly vault: string;
}

/** How an HTTP request comes in. */
export interface Door {
  readonly auth: "jwt" | "secret" | "none" | Signature;
  /** Items of one request at most. */
  readonly maxItems: number;
}

/** What the generated `workload.gen.ts` says about every workload. */
export interface Workload {
  readonly project: string;
  readonly name: string;
  /** The version of this code: a hash of what it and the database agree on. */
  readonly contract: string;
  /** The platform's limit of an isolate's life. */
  readonly wallClockMs: number;
  /** JSON Schema (2020-12) of a payload; null where any will do. */
  readonly schema: object | boolean | null;
  /** Whether every payload is as the schema says: schedules and table triggers
   * send others, and then only requests are checked. */
  readonly checked?: boolean;
  readonly door: Door | null;
}

export interface QueueWorkload extends Workload {
  readonly steps?: readonly string[] | null;
}

export interface PipelineWorkload extends Workload {
  readonly steps: readonly string[];
}

export interface CallWorkload extends Workload {
  readonly door: Door;
}

/** The type that a workload's schema gives its payloads. Generated code writes
 * a schema that holds one value, whose type is taken as it stands: FromSchema
 * would take it apart, and never end where it refers to itself. */
export type PayloadOf<W extends Workload> = W["schema"] extends infer S
  ? S extends { readonly enum: readonly [infer Payload] } ? Payload
  : S extends JSONSchema ? FromSchema<S>
  : unknown
  : never;

/** Which run a message belongs to, and as what. */
export interface Run {
  readonly id: string;
  /** The step of a pipeline; null for an item of a plain fan-out. */
  readonly step: string | null;
  /** Which element of a mapped step, from 0. */
  readonly index: number | null;
}

export interface Context {
  /** Aborted at the timeout, and when the message's lease is lost. */
  readonly signal: AbortSignal;
  /** From 1. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Null in a call, which has no message. */
  readonly messageId: string | null;
  readonly headers: Readonly<Record<string, unknown>> | null;
  readonly run: Run | null;
  readonly log: Log;
  /** The workload's database; connects when first used. */
  readonly sql: Sql;
}

/** What runs for each message: done when it returns, or its promise resolves. */
export type Handler<Payload> = (payload: Payload, context: Context) => unknown;

// A step's payload is what the steps before it answered, which no schema knows:
// a step says itself what it takes.
export type StepHandler = (payload: never, context: Context) => unknown;

/** One handler for each step, by the step's name; none missing, none too many. */
export type StepHandlers<W extends PipelineWorkload> = {
  readonly [Step in W["steps"][number]]: StepHandler;
};

interface Signed {
  readonly verify: Verify;
}

/** `verify` has to be given exactly where the door asks for a signature. */
export type ServeOptions<W extends Workload> = W["door"] extends
  { readonly auth: Signature } ? [options: Signed] : [];
