// Stripe says that a checkout is complete: the order is paid, and the receipt
// follows by the table's trigger. Stripe's signature was checked at the door.

import { Permanent } from "orchestra";
import type { Context, Payload } from "./workload.gen.ts";

interface Checkout {
  type: string;
  data: { object: { client_reference_id?: string | null } };
}

export default async function handle(
  payload: Payload,
  { sql, log }: Context,
): Promise<void> {
  const event = payload as Checkout;
  if (event.type !== "checkout.session.completed") {
    log.info("not about a payment", { type: event.type });
    return;
  }
  const order = Number(event.data.object.client_reference_id);
  if (!Number.isSafeInteger(order)) {
    throw new Permanent("the checkout names no order");
  }
  const paid = await sql`
    update shop."order" set state = 'paid'
    where id = ${order} and state = 'open' returning id`;
  log.info(paid.length === 1 ? "order paid" : "was paid before", { order });
}
