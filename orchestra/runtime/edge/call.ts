// A call: answered at once, and worked off behind the answer. The ledger has it
// before the answer does, and how it ended afterwards, whatever that was.

import { sleep } from "./clock.ts";
import { contextOfCall } from "./context.ts";
import type { Gate } from "./gate.ts";
import type { Host } from "./host.ts";
import { refuseInvalid, takeIn } from "./intake.ts";
import { start, type Verdict } from "./job.ts";
import { toJson } from "./json.ts";
import type { Accepted, Ending, Ledger } from "./ledger.ts";
import { answering, type Fetch, json, Refusal } from "./respond.ts";
import { persist } from "./retry.ts";
import type { CallWorkload, Context, Handler } from "./types.ts";
import type { Validate } from "./validate.ts";

export interface CallParts {
  readonly workload: CallWorkload;
  readonly handler: Handler<never>;
  readonly gate: Gate;
  readonly validate: Validate;
  readonly ledger: Ledger;
  readonly host: Host;
}

// For writing down how a call ended while the database is away.
const LONGEST_SETTLING_MS = 30_000;

export function callFunction(parts: CallParts): Fetch {
  const { gate, validate, ledger, host } = parts;
  return (request) =>
    answering(host.log, async () => {
      const taken = await takeIn(request, gate);
      if (taken instanceof Response) return taken;
      const { payload } = taken;
      refuseInvalid([payload], validate);
      const accepted = await ledger.accept(written(payload));
      const headers = ordinary(request.headers);
      host.background(carryOut(parts, accepted, payload, headers));
      return json(200, { status: "accepted" }, {
        "x-orchestra-call": accepted.callId,
      });
    });
}

async function carryOut(
  { handler, ledger, host }: CallParts,
  { callId, timeoutMs }: Accepted,
  payload: unknown,
  headers: Context["headers"],
): Promise<void> {
  const { clock } = host;
  const log = host.log.with({ call_id: callId });
  const settle = async (ending: Ending) => {
    if (ending.error !== null) log.error("the call failed", { ...ending });
    try {
      const until = clock.now() + LONGEST_SETTLING_MS;
      await persist(() => ledger.settle(callId, ending), { clock, until });
    } catch (error) {
      log.error("how the call ended could not be written down", {
        ended: ending.error ?? "done",
        error,
      });
    }
  };
  const unhook = host.onShutdown((reason) =>
    void settle({
      error: `its isolate was shut down (${reason})`,
      code: "shutdown",
    })
  );
  // What a handler does before it first waits would keep the answer back.
  await sleep(clock, 0);
  const job = start({
    timeoutMs,
    keepsResult: false,
    call: (signal) =>
      handler(
        payload as never,
        contextOfCall(headers, {
          signal,
          maxAttempts: 1,
          log,
          sql: host.handlersSql,
        }),
      ),
  }, clock);
  const verdict = await job.verdict;
  unhook();
  await settle(endingOf(verdict));
}

function endingOf(verdict: Verdict): Ending {
  if (verdict.done) return { error: null, code: null };
  const { error, code, snoozeMs } = verdict;
  return snoozeMs === null
    ? { error, code }
    : { error: `snoozed, but nothing calls it again: ${error}`, code };
}

function written(payload: unknown): string {
  try {
    return toJson(payload);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Refusal(422, `the payload ${error.message}`);
  }
}

// A webhook says what it is about in its headers. Whoever called has proved
// itself by now; with what is not the handler's affair.
function ordinary(headers: Headers): Record<string, string> {
  const { authorization: _1, apikey: _2, cookie: _3, ...others } = Object
    .fromEntries(headers);
  return others;
}
