// Asks the database who and where it is.

import postgres from "postgres";

const sql = postgres(Deno.env.get("SUPABASE_DB_URL") ?? "", { prepare: false });

Deno.serve(async () => {
  const [row] =
    await sql`select current_user as user, current_database() as db`;
  return Response.json(row);
});
