// What generated functions and handlers import as "orchestra".

export { serveCall, serveDoor, servePipeline, serveQueue } from "./serve.ts";
export { Permanent, Snooze } from "./errors.ts";
export type { Delay } from "./duration.ts";
export type { Fields, Log } from "./log.ts";
export type {
  CallWorkload,
  Context,
  Door,
  Handler,
  PayloadOf,
  PipelineWorkload,
  QueueWorkload,
  Run,
  Signature,
  StepHandler,
  StepHandlers,
  Workload,
} from "./types.ts";
export type { Verify } from "./hmac/verify.ts";
