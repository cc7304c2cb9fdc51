// What the isolate tells: its end, and errors that nobody caught.

import assert from "node:assert/strict";
import {
  background,
  onShutdown,
  surviveStrayErrors,
} from "../../orchestra/runtime/edge/isolate.ts";
import { memoryLog } from "./fake_isolate.ts";

Deno.test("background work is handed to the platform, and never fails there", async () => {
  const { log, lines } = memoryLog();
  const kept: Promise<unknown>[] = [];
  const scope = globalThis as { EdgeRuntime?: unknown };
  scope.EdgeRuntime = {
    waitUntil: (work: Promise<unknown>) => void kept.push(work),
  };
  try {
    background(Promise.reject(new Error("broken")), log);
    background(Promise.resolve(), log);
    await Promise.all(kept);
    assert.equal(kept.length, 2);
    assert.deepEqual(lines.map(({ message }) => message), [
      "background work failed",
    ]);
  } finally {
    delete scope.EdgeRuntime;
  }
  background(Promise.reject(new Error("in plain Deno too")), log);
  await Promise.resolve();
});

Deno.test("stray errors are told and survived", async () => {
  const { log, lines } = memoryLog();
  surviveStrayErrors(log);
  const left = Promise.reject(new Error("left behind"));
  setTimeout(() => {
    throw new Error("thrown in a timer");
  });
  for (let waited = 0; lines.length < 2 && waited < 2_000; waited += 10) {
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  left.catch(() => {});
  // On a busy machine either may be noticed first.
  const told = new Map(lines.map(({ message, ...line }) => [message, line]));
  assert.deepEqual([...told.keys()].sort(), [
    "a rejection that nobody handled",
    "an error that nobody caught",
  ]);
  assert.equal(lines.length, 2);
  const rejection = told.get("a rejection that nobody handled");
  const thrown = told.get("an error that nobody caught");
  assert.equal(rejection?.level, "error");
  assert.match(String(rejection?.["error"]), /left behind/);
  assert.equal(thrown?.level, "error");
  assert.match(String(thrown?.["error"]), /thrown in a timer/);
});

// The last one: for the rest of this file the isolate is about to end.
Deno.test("whoever hooks on is told of the end, in whatever words", () => {
  const told: string[] = [];
  const unhook = onShutdown((reason) => told.push(`first ${reason}`));
  onShutdown((reason) => told.push(`second ${reason}`));
  const end = (detail: unknown) =>
    dispatchEvent(new CustomEvent("beforeunload", { detail }));
  end({ reason: "wall_clock" });
  assert.deepEqual(told.splice(0), ["first wall_clock", "second wall_clock"]);
  unhook();
  end("memory");
  end(null);
  assert.deepEqual(told.splice(0), ["second memory", "second unknown"]);
  onShutdown((reason) => told.push(`late ${reason}`));
  assert.deepEqual(told, ["late unknown"]);
});
