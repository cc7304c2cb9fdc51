-- Dead letters that nobody wants back.

-- Deletes those of `ids` that still wait, and answers how many that were. A letter that somebody is sending back just now
-- stays. The runs that they were part of keep their failures: trying such a run again has nothing to send for them.
-- `workload` as project/name may be one that is gone: its letters have outlived it.
create or replace function orchestra.purge_dead_letters(workload text, ids bigint[]) returns bigint
language plpgsql set search_path = ''
as $$
declare
  slash constant int := strpos(purge_dead_letters.workload, '/');
  target orchestra.workload;
  purged bigint;
begin
  if slash > 0 then
    target.project := left(purge_dead_letters.workload, slash - 1);
    target.name := substr(purge_dead_letters.workload, slash + 1);
  else
    target := orchestra.find_workload(purge_dead_letters.workload);
  end if;
  delete from orchestra.dead_letter d
  where d.id = any (array(
    select o.id from orchestra.dead_letter o
    where o.id = any (purge_dead_letters.ids)
      and o.project = target.project and o.workload = target.name and o.redriven_at is null
    for update skip locked
  ));
  get diagnostics purged = row_count;
  if purged = 0 then
    -- A name that was never one must not pass for work that is done.
    perform orchestra.find_workload(purge_dead_letters.workload);
  end if;
  perform orchestra.log_verb('purge', target.project, target.name, jsonb_build_object('count', purged));
  return purged;
end
$$;
