// One report of a fan-out: its payload has the type that the schema gives it.

import type { Context, Payload } from "./workload.gen.ts";

export default async function handle(
  { customer, month }: Payload,
  { sql }: Context,
): Promise<void> {
  await sql`
    insert into app.report (customer, month, body)
    values (${customer}, ${month}, ${`Report of ${customer} for ${month}`})
    on conflict (customer, month) do update set body = excluded.body`;
}
