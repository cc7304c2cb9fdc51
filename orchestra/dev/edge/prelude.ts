// Runs in a function's Deno process before the function does: makes of plain
// Deno what Supabase's edge runtime offers, and keeps the runner informed. The
// runner decides when the isolate has to go; what it holds is known only here.

/** From the runner, in the environment; gone before the function looks. */
interface Setup {
  /** Of the runner's control socket, on loopback. */
  readonly port: number;
  readonly token: string;
  /** The function's index.ts, as a URL. */
  readonly entry: string;
  /** The whole environment of the function; Deno needs, and sets, some more. */
  readonly env: Readonly<Record<string, string>>;
}

type Reason = "cpu" | "memory" | "wall_clock" | "early_drop" | "termination";

/** What the runner says: tell of the end that is near, or end when idle. */
interface Order {
  readonly unload?: Reason;
  readonly leave?: Reason;
}

const SETUP = "ORCHESTRA_EDGE";
const setup: Setup = JSON.parse(Deno.env.get(SETUP) ?? "{}");
for (const name of Object.keys(Deno.env.toObject())) Deno.env.delete(name);
for (const [name, value] of Object.entries(setup.env)) {
  Deno.env.set(name, value);
}

// ---- the line to the runner -------------------------------------------------

const line = await Deno.connect({ hostname: "127.0.0.1", port: setup.port });
line.unref(); // a function that serves nothing ends by itself
const outgoing = line.writable.getWriter();

function tell(news: Record<string, string | number>): void {
  const text = JSON.stringify(news) + "\n";
  outgoing.write(new TextEncoder().encode(text)).catch(() => {});
}

async function obey(): Promise<never> {
  let text = "";
  try {
    for await (
      const piece of line.readable.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (text + piece).split("\n");
      text = lines.pop() ?? "";
      for (const each of lines) follow(JSON.parse(each));
    }
  } catch {
    // The same as an end of the line.
  }
  Deno.exit(1); // nobody would end this isolate any more
}

function follow({ unload, leave }: Order): void {
  if (unload) dispatchUnload(unload);
  if (leave) {
    leaving = leave;
    if (leave === "termination") dispatchUnload(leave);
    leaveWhenIdle();
  }
}

// ---- what keeps the isolate -------------------------------------------------

let leaving: Reason | undefined;
let answering = 0;
const waiting = new Set<Promise<unknown>>();

function leaveWhenIdle(): void {
  if (!leaving || answering > 0 || waiting.size > 0) return;
  if (leaving === "early_drop") dispatchUnload(leaving);
  Deno.exit(0);
}

function dispatchUnload(reason: Reason): void {
  const detail = { reason };
  dispatchEvent(new CustomEvent("beforeunload", { cancelable: true, detail }));
}

function settled(promise: Promise<unknown>): void {
  if (!waiting.delete(promise)) return;
  tell({ waiting: waiting.size });
  setTimeout(leaveWhenIdle); // what awaits the promise comes first
}

/** V8's own view of promises, which Deno has and does not document. */
interface Core {
  setPromiseHooks(
    init: null,
    before: null,
    after: null,
    resolve: (promise: Promise<unknown>) => void,
  ): void;
  /** The state, 0 while pending, and the result. */
  getPromiseDetails(promise: Promise<unknown>): [number, unknown];
}

function findCore(): Core | undefined {
  const { internal } = Deno as unknown as { internal?: symbol };
  if (internal === undefined) return undefined;
  const hidden = Reflect.get(Deno, internal) as { core?: Partial<Core> };
  const { setPromiseHooks, getPromiseDetails } = hidden?.core ?? {};
  return setPromiseHooks && getPromiseDetails
    ? { setPromiseHooks, getPromiseDetails }
    : undefined;
}

// As upstream does it: to watch a promise must not count as handling it, or a
// rejection that ends the isolate there would pass unseen here.
const core = findCore();
core?.setPromiseHooks(null, null, null, settled);

function waitUntil<T>(promise: Promise<T>): Promise<T> {
  if (!(promise instanceof Promise)) return promise;
  if (core && core.getPromiseDetails(promise)[0] !== 0) return promise;
  waiting.add(promise);
  tell({ waiting: waiting.size });
  if (!core) promise.then(() => settled(promise), () => settled(promise));
  return promise;
}

Object.defineProperty(globalThis, "EdgeRuntime", {
  value: { waitUntil },
  configurable: true,
});

// ---- serving where the runner finds it --------------------------------------

type Handler = Deno.ServeHandler<Deno.NetAddr>;
type Options = Partial<Deno.ServeTcpOptions & Deno.ServeInit>;

const { serve } = Deno;
let serving = false;

function serveHere(first: Handler | Options, second?: Handler) {
  if (serving) {
    throw new Deno.errors.AddrInUse("a function has one Deno.serve");
  }
  const options = typeof first === "function" ? {} : first;
  const handler = typeof first === "function"
    ? first
    : second ?? options.handler;
  if (typeof handler !== "function") {
    throw new TypeError("A handler function must be provided.");
  }
  serving = true;
  return serve({
    ...(options.signal && { signal: options.signal }),
    ...(options.onError && { onError: options.onError }),
    hostname: "127.0.0.1",
    port: 0,
    onListen(address) {
      options.onListen?.(address);
      tell({ listening: address.port });
    },
  }, (request, info) => {
    answering++;
    info.completed.then(answered, answered); // its last byte is sent, or nobody takes it
    return handler(request, info);
  });
}

function answered(): void {
  answering--;
  setTimeout(leaveWhenIdle);
}

Object.defineProperty(Deno, "serve", { value: serveHere, configurable: true });

// ---- the function -----------------------------------------------------------

tell({ token: setup.token });
obey();

const { default: main } = await import(setup.entry) as {
  default?: { fetch?: (request: Request) => Response | Promise<Response> };
};
const fetch = main?.fetch?.bind(main); // what `deno serve` takes, and upstream
if (!serving && fetch) serveHere((request) => fetch(request));
