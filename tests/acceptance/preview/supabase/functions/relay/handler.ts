import type { Context } from "./workload.gen.ts";

export default async function handle(
  _payload: unknown,
  { sql }: Context,
): Promise<void> {
  await sql`insert into site.done (what) values ('relay')`;
}
