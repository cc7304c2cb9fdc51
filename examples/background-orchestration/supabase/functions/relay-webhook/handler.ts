// Light work behind an immediate answer: passes a payment on to the CRM.

import type { Context, Payload } from "./workload.gen.ts";

export default async function handle(
  payload: Payload,
  { signal }: Context,
): Promise<void> {
  const response = await fetch(`${Deno.env.get("CRM_URL")}/payments`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(payload),
    signal,
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the CRM says ${response.status}`);
}
