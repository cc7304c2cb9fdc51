// One export a step. `render` runs once for each customer that `collect` found,
// as many at once as the spec allows; `publish` runs when all of them are done.

import type {
  CollectPayload,
  Context,
  PublishPayload,
  RenderPayload,
} from "./workload.gen.ts";

export async function collect(_run: CollectPayload, { sql }: Context) {
  const rows = await sql<{ customer: string; name: string; cents: string }[]>`
    select d.customer_id as customer, c.name, d.total_cents as cents
    from sales.daily d join sales.customer c on c.id = d.customer_id
    where d.day = (now() at time zone 'Europe/Berlin')::date - 1
    order by d.customer_id`;
  return rows.map(({ customer, name, cents }) => ({
    customer: Number(customer),
    name,
    euros: Number(cents) / 100,
  }));
}

export function render({ customer, name, euros }: RenderPayload) {
  return { customer, body: `${name}\n${euros.toFixed(2)} EUR` };
}

export async function publish(
  { render: reports }: PublishPayload,
  { sql, log }: Context,
) {
  for (const report of reports) {
    if (report === null) continue;
    await sql`
      insert into sales.report (customer_id, day, body)
      values (
        ${report.customer},
        (now() at time zone 'Europe/Berlin')::date - 1, ${report.body}
      )
      on conflict (customer_id, day) do update set body = excluded.body`;
  }
  log.info("published", { reports: reports.length });
}
