// When a turn is taken, and how much it wants.

import assert from "node:assert/strict";
import {
  type Limits,
  type Moment,
  pace,
} from "../../orchestra/runtime/edge/pace.ts";

const LIMITS: Limits = {
  handlers: 10,
  batchSize: 50,
  rateLimited: false,
  lingerMs: 2_000,
  takeUntil: 200_000,
};

const MOMENT: Moment = {
  now: 10_000,
  running: 0,
  stuck: 0,
  buffered: 0,
  unsettled: 0,
  unsettledSince: Infinity,
  jobMs: null,
  room: Infinity,
  alone: false,
  stopping: false,
  lastWorkAt: 10_000,
  foundNone: false,
  askAgainAt: 0,
  rateWait: false,
};

const at = (moment: Partial<Moment>, limits: Partial<Limits> = {}) =>
  pace({ ...LIMITS, ...limits }, { ...MOMENT, ...moment });

Deno.test("the first turn wants what can start at once", () => {
  assert.deepEqual(at({}), { do: "turn", want: 10 });
  assert.deepEqual(at({}, { batchSize: 4 }), { do: "turn", want: 4 });
  assert.deepEqual(at({ room: 3 }), { do: "turn", want: 3 });
  assert.deepEqual(at({ running: 8, stuck: 1 }), { do: "turn", want: 1 });
});

Deno.test("beyond that, what is finished within 100 ms", () => {
  const want = (jobMs: number) => at({ running: 10, jobMs });
  assert.deepEqual(want(0.01), { do: "turn", want: 50 });
  assert.deepEqual(want(50), { do: "turn", want: 20 });
  assert.deepEqual(want(20_000), { do: "turn", want: 1 });
  assert.equal(at({ running: 10, jobMs: 50, buffered: 10 }).do, "wait");
  assert.equal(
    at({ running: 10, jobMs: 50 }, { rateLimited: true }).do,
    "wait",
  );
});

Deno.test("a worker that stops reports at once", () => {
  const ended = { running: 1, unsettled: 1, unsettledSince: 9_990 };
  assert.equal(at({ ...ended, room: 0 }).do, "wait");
  const turn = { do: "turn", want: 0 };
  assert.deepEqual(at({ ...ended, stopping: true }), turn);
});

Deno.test("nothing beside a message that must be alone", () => {
  assert.deepEqual(at({ alone: true, running: 1 }), {
    do: "wait",
    ms: 190_000,
  });
  assert.deepEqual(at({ alone: true, unsettled: 1, unsettledSince: 10_000 }), {
    do: "turn",
    want: 10,
  });
});

Deno.test("reports wait for company, and not for long", () => {
  const busy = { running: 10, unsettled: 1, unsettledSince: 10_000 };
  assert.deepEqual(at(busy), { do: "wait", ms: 40 });
  assert.deepEqual(at({ ...busy, now: 10_040 }), { do: "turn", want: 0 });
  assert.deepEqual(at({ ...busy, unsettled: 50 }), { do: "turn", want: 0 });
  assert.equal(at({ ...busy, running: 0, stopping: true }).do, "turn");
  assert.equal(
    at({ running: 1, unsettled: 3, unsettledSince: -Infinity }).do,
    "turn",
  );
});

Deno.test("an empty queue is asked again, until there is no more lingering", () => {
  const empty = { foundNone: true, askAgainAt: 10_050 };
  assert.deepEqual(at(empty), { do: "wait", ms: 50 });
  assert.equal(at({ ...empty, now: 10_050 }).do, "turn");
  assert.equal(at({ ...empty, lastWorkAt: 8_050 }).do, "leave");
  assert.equal(at({ ...empty, lastWorkAt: 8_050, running: 1 }).do, "wait");
  assert.equal(at({ ...empty, lastWorkAt: 8_050, stuck: 1 }).do, "wait");
  assert.equal(at(empty, { lingerMs: 0 }).do, "leave");
});

Deno.test("whoever stops takes nothing, and leaves when nothing is left", () => {
  assert.equal(at({ stopping: true }).do, "leave");
  assert.equal(at({ stopping: true, stuck: 3 }).do, "leave");
  assert.deepEqual(at({ stopping: true, running: 1 }), {
    do: "wait",
    ms: Infinity,
  });
});
