// Asks a model for the embedding of a document as it is now, and stores it.

import { Snooze } from "orchestra";
import type { Context, Payload } from "./workload.gen.ts";

export default async function handle(
  payload: Payload,
  { sql, signal, log }: Context,
): Promise<void> {
  const id = Number(payload.key.id);
  const [document] = await sql`
    select title, body from public.documents where id = ${id}`;
  if (document === undefined) {
    log.info("gone before it was embedded", { id });
    return;
  }
  const response = await fetch(`${Deno.env.get("MODEL_URL")}/embed`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ input: `${document.title} ${document.body}` }),
    signal,
  });
  if (response.status === 429) {
    await response.body?.cancel();
    throw new Snooze("10s", "the model is busy");
  }
  if (!response.ok) throw new Error(`the model says ${response.status}`);
  const { embedding } = await response.json() as { embedding: number[] };
  await sql`
    insert into public.document_embeddings (document_id, embedding)
    values (${id}, ${embedding})
    on conflict (document_id) do update
    set embedding = excluded.embedding, embedded_at = now()`;
}
