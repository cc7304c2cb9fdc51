import type { Context, Payload } from "./workload.gen.ts";

export default async function handle(
  payload: Payload,
  { sql, signal }: Context,
): Promise<void> {
  if (payload.do === "never end") {
    await new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }
  if (payload.do === "die") Deno.exit(1);
  await sql`
    insert into trouble.done (what, isolate, started_at)
    values (${payload.do}, ${Deno.pid}, now())`;
}
