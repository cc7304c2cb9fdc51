import type { Context, Payload } from "./workload.gen.ts";

export default async function handle(
  payload: Payload,
  { sql, attempt, messageId }: Context,
): Promise<void> {
  const { poison, ms = 20 } = payload as { poison?: boolean; ms?: number };
  if (poison) {
    await sql`
      insert into chaos.poisoned (msg_id, attempt, isolate)
      values (${messageId}, ${attempt}, ${Deno.pid})`;
    const [mercy] = await sql`select given from chaos.mercy`;
    if (!mercy?.given) Deno.exit(1);
  }
  const [row] = await sql`
    insert into chaos.work (msg_id, attempt, isolate)
    values (${messageId}, ${attempt}, ${Deno.pid}) returning id`;
  await new Promise((resolve) => setTimeout(resolve, ms));
  await sql`
    update chaos.work set ended_at = clock_timestamp() where id = ${row?.id}`;
}
