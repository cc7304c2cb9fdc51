do $orchestra$
declare
  spent bigint;
begin
  if exists (
    :registered
      and :digest = :before
  ) and to_regclass('pgmq.q_' || :queue) is not null then
    select count(*) into spent from :relation q where q.read_ct >= :attempts;
    if spent > 0 then
      raise exception 'queue % holds messages (%) that have had % attempts or more and would be given up next', :queue, spent, :attempts
        using errcode = 'ORC14', hint = 'Nothing was changed. Let it drain and run this migration again; or write it with '
          '--allow fewer_attempts:' || :address || '.';
    end if;
  end if;
end
$orchestra$
