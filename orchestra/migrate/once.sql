do $orchestra$
begin
  if exists (
    :condition
  ) then
:body
  end if;
end
$orchestra$
