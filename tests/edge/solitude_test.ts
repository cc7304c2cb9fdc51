// Who has the isolate to itself, and what its neighbours do meanwhile.

import assert from "node:assert/strict";
import {
  type Neighbour,
  Solitude,
} from "../../orchestra/runtime/edge/solitude.ts";

function neighbour() {
  const calls: string[] = [];
  const self = {
    busy: false,
    calls,
    isBusy: () => self.busy,
    withdraw: () => void calls.push("withdraw"),
    look: () => void calls.push("look"),
  };
  return self satisfies Neighbour;
}

Deno.test("the first who asks gets the isolate when the others have ended", () => {
  const solitude = new Solitude();
  const [a, b, c] = [neighbour(), neighbour(), neighbour()];
  for (const each of [a, b, c]) solitude.join(each);
  b.busy = true;
  assert.ok(solitude.allows(a) && solitude.allows(b));

  assert.ok(solitude.ask(a));
  assert.ok(solitude.ask(a));
  assert.ok(!solitude.ask(c));
  assert.deepEqual([a.calls, b.calls, c.calls], [[], ["withdraw"], [
    "withdraw",
  ]]);
  assert.ok(!solitude.allows(a), "the others are still busy");
  assert.ok(!solitude.allows(b) && solitude.isTakenFrom(b));

  b.busy = false;
  solitude.ended(b);
  assert.deepEqual(a.calls, ["look"]);
  assert.ok(solitude.allows(a));

  solitude.release(c);
  assert.ok(solitude.isTakenFrom(b), "only who has it can give it up");
  solitude.release(a);
  assert.ok(solitude.allows(b) && solitude.allows(c));
  assert.deepEqual(b.calls, ["withdraw", "look"]);
});

Deno.test("who leaves gives it up, or is no longer waited for", () => {
  const solitude = new Solitude();
  const [a, b] = [neighbour(), neighbour()];
  const leaveA = solitude.join(a);
  const leaveB = solitude.join(b);
  b.busy = true;
  solitude.ask(a);
  leaveB();
  assert.deepEqual(a.calls, ["look"]);
  assert.ok(solitude.allows(a));
  solitude.join(b);
  leaveA();
  assert.ok(!solitude.isTakenFrom(b));
});
