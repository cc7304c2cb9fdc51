// Light work behind an immediate answer: hands one e-mail to the provider.

import type { Context, Payload } from "./workload.gen.ts";

export default async function handle(
  payload: Payload,
  { signal }: Context,
): Promise<void> {
  const response = await fetch(`${Deno.env.get("MAIL_URL")}/send`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(payload),
    signal,
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the provider says ${response.status}`);
}
