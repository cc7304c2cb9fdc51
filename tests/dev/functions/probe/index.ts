// Does what a test asks for: /probe/<what>?ms=…

declare const EdgeRuntime: { waitUntil<T>(promise: Promise<T>): Promise<T> };

type Act = (ms: number, request: Request) => Response | Promise<Response>;

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

const pid = () => new Response(String(Deno.pid));

function spin(ms: number) {
  const end = performance.now() + ms;
  while (performance.now() < end) Math.sqrt(end);
}

const acts: Record<string, Act> = {
  pid,
  env: () => Response.json(Deno.env.toObject()),
  url: (_, request) =>
    Response.json({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
    }, { status: 201, headers: { "x-probe": "yes" } }),
  echo: async (_, request) => new Response(await request.arrayBuffer()),
  size: async (_, request) =>
    new Response(String((await request.arrayBuffer()).byteLength)),
  refuse: () => new Response("too much", { status: 413 }),
  drip: (ms) =>
    new Response(
      ReadableStream.from(async function* () {
        for (let piece = 0; piece < 8; piece++) {
          yield new TextEncoder().encode("drip");
          await sleep(ms);
        }
      }()),
    ),
  empty: () => new Response(null, { status: 204 }),
  fail: () => {
    throw new Error("a handler's error");
  },
  sleep: async (ms) => {
    await sleep(ms);
    return pid();
  },
  spin: (ms) => {
    spin(ms);
    return pid();
  },
  spinLater: (ms) => {
    setTimeout(() => spin(ms), 20);
    return pid();
  },
  wait: (ms) => {
    EdgeRuntime.waitUntil(sleep(ms).then(() => console.log("waited", ms)));
    return pid();
  },
  settled: () => {
    EdgeRuntime.waitUntil(Promise.resolve());
    return pid();
  },
  reject: (ms) => {
    EdgeRuntime.waitUntil(
      sleep(ms).then(() => Promise.reject(new Error("nobody handles this"))),
    );
    return pid();
  },
  handled: (ms) => {
    const work = sleep(ms).then(() => Promise.reject(new Error("known")));
    EdgeRuntime.waitUntil(work);
    work.catch(() => console.log("handled"));
    return pid();
  },
  crash: () => {
    setTimeout(() => {
      throw new Error("a stray error");
    });
    return sleep(60_000).then(pid);
  },
  exit: () => Deno.exit(3),
  fill: () => {
    const held: string[][] = [];
    for (;;) held.push(Array.from({ length: 1e5 }, (_, i) => `line ${i}`));
  },
  say: () => {
    console.log("one\ntwo");
    console.error("ä" + "x".repeat(200_000));
    return pid();
  },
};

addEventListener("beforeunload", (event) => {
  const { detail } = event as CustomEvent<{ reason: string }>;
  console.log("beforeunload", detail.reason);
});

Deno.serve((request) => {
  const url = new URL(request.url);
  const act = acts[url.pathname.split("/")[2] ?? ""];
  const ms = Number(url.searchParams.get("ms"));
  return act?.(ms, request) ?? new Response("no such act", { status: 400 });
});
