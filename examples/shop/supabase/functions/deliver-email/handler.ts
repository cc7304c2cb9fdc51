// Hands one receipt from the outbox to the mail provider. The message's id goes
// along as an idempotency key: a second attempt does not send a second mail.

import { Permanent } from "orchestra";
import type { Context, Payload } from "./workload.gen.ts";

export default async function handle(
  payload: Payload,
  { sql, signal, messageId }: Context,
): Promise<void> {
  const order = Number(payload.key.order_id);
  const [mail] = await sql`
    select recipient, subject from shop.outbox where order_id = ${order}`;
  if (mail === undefined) throw new Permanent("the outbox has no such order");

  const response = await fetch(`${Deno.env.get("MAIL_URL")}/send`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "idempotency-key": `receipt-${order}-${messageId}`,
    },
    body: JSON.stringify({ to: mail.recipient, subject: mail.subject }),
    signal,
  });
  const answer = await response.text();
  if (response.status === 422) throw new Permanent(`refused: ${answer}`);
  if (!response.ok) throw new Error(`the provider says ${response.status}`);
  await sql`
    update shop.outbox set delivered_at = now() where order_id = ${order}`;
}
