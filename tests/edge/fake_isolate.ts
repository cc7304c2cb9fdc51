// An isolate whose end comes when the test says so, and whose log is kept.

import { type Lifetime, lifetime } from "../../orchestra/runtime/edge/boot.ts";
import { Cpu } from "../../orchestra/runtime/edge/cpu.ts";
import type { ShutdownHook } from "../../orchestra/runtime/edge/isolate.ts";
import { type Log, logger } from "../../orchestra/runtime/edge/log.ts";
import { Solitude } from "../../orchestra/runtime/edge/solitude.ts";

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A log that keeps its lines. */
export function memoryLog(): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  const log = logger({}, (_level, line) => lines.push(JSON.parse(line)));
  return { log, lines };
}

export interface IsolateOptions {
  readonly life?: Lifetime;
  readonly cpu?: Cpu;
}

export interface FakeIsolate extends Required<IsolateOptions> {
  readonly solitude: Solitude;
  readonly log: Log;
  readonly lines: Line[];
  readonly hooks: ReadonlySet<ShutdownHook>;
  onShutdown(hook: ShutdownHook): () => void;
  shutDown(reason: string): void;
}

export function fakeIsolate(
  { life = lifetime(400_000, 0), cpu = new Cpu() }: IsolateOptions = {},
): FakeIsolate {
  const hooks = new Set<ShutdownHook>();
  return {
    life,
    cpu,
    solitude: new Solitude(),
    ...memoryLog(),
    hooks,
    onShutdown(hook) {
      hooks.add(hook);
      return () => void hooks.delete(hook);
    },
    shutDown(reason) {
      for (const hook of hooks) hook(reason);
    },
  };
}
