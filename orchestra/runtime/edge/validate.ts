// Payloads against the workload's JSON Schema (2020-12), formats included. The
// validator interprets the schema: nothing is compiled, no eval is needed.

import { type OutputUnit, Validator } from "@cfworker/json-schema";
import type { Workload } from "./types.ts";

/** What is wrong with a payload, and where in it, as a JSON pointer. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

export type Validate = (payload: unknown) => readonly Fault[];

const MOST_FAULTS = 20;

export function validator(schema: Workload["schema"]): Validate {
  if (schema === null) return () => [];
  const checker = new Validator(schema, "2020-12", false);
  return (payload) => {
    let errors: OutputUnit[];
    try {
      ({ errors } = checker.validate(payload));
    } catch (error) {
      // A schema that refers to itself follows the payload into any depth.
      if (!(error instanceof RangeError)) throw error;
      return [{ path: "", message: "nested too deep" }];
    }
    return errors.filter(isLeaf).slice(0, MOST_FAULTS).map(fault);
  };
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
