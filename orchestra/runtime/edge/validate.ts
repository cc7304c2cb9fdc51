// Payloads against the workload's JSON Schema (2020-12), formats included. The
// validator interprets the schema: nothing is compiled, no eval is needed.

import {
  format,
  type OutputUnit,
  type SchemaDraft,
  Validator,
} from "@cfworker/json-schema";
import { Permanent } from "./errors.ts";
import type { Workload } from "./types.ts";

/** What is wrong with a payload, and where in it, as a JSON pointer. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

export type Validate = (payload: unknown) => readonly Fault[];

/** What of a workload says how its payloads are. */
export type Checked = Pick<Workload, "schema" | "checked">;

const MOST_FAULTS = 20;

// The validator's own expression takes twice as long for each further letter of
// a host without a dot: half a hundred bytes would stop the isolate.
format["url"] = (text) => URL.canParse(text);

export function validator(schema: Workload["schema"]): Validate {
  if (schema === null) return () => [];
  const judge = new Validator(schema, draftOf(schema), false);
  return (payload) => {
    let errors: OutputUnit[];
    try {
      ({ errors } = judge.validate(payload));
    } catch (error) {
      // A schema that refers to itself follows the payload into any depth.
      if (!(error instanceof RangeError)) throw error;
      return [{ path: "", message: "nested too deep" }];
    }
    return errors.filter(isLeaf).slice(0, MOST_FAULTS).map(fault);
  };
}

/**
 * Refuses a message whose payload is not as the schema says, for good: it came
 * from the database, where nothing checked it, and another try changes nothing.
 */
export function checker(
  { schema, checked }: Checked,
): (payload: unknown) => void {
  if (!checked) return () => {};
  const validate = validator(schema);
  return (payload) => {
    const faults = validate(payload);
    if (faults.length > 0) {
      const said = faults.map(({ path, message }) =>
        `${path || "/"}: ${message}`
      );
      throw new Permanent(
        `the payload is not as its schema says\n${said.join("\n")}`,
      );
    }
  };
}

// By what the schema says of itself; one that says nothing is of the last draft.
function draftOf(schema: object | boolean): SchemaDraft {
  const said = typeof schema === "object" && "$schema" in schema
    ? String(schema.$schema)
    : "";
  const [, draft] = /draft[-/]0?(4|6|7|2019-09)/.exec(said) ?? [];
  if (draft === "6") return "7";
  return draft === undefined ? "2020-12" : draft as SchemaDraft;
}

// The validator also reports every schema around a fault, which says nothing. Of
// the schema `false` it does not say where that stands, only that it does.
function isLeaf(
  unit: OutputUnit,
  index: number,
  all: readonly OutputUnit[],
): boolean {
  const next = all[index + 1];
  return next === undefined || next.keyword !== "false" &&
      !next.keywordLocation.startsWith(`${unit.keywordLocation}/`);
}

function fault({ instanceLocation, keyword, error }: OutputUnit): Fault {
  return {
    path: instanceLocation.replace(/^#/, ""),
    message: keyword === "false" ? "Not allowed." : error,
  };
}
