-- What many apps have: a queue and two cron jobs that somebody made by hand. pgmq and pg_cron are there already.
create schema if not exists app;

create table if not exists app.email (
  message_id bigint primary key,
  recipient text not null,
  subject text not null
);

create table if not exists app.log (
  at timestamptz not null,
  line text not null
);

insert into app.log (at, line)
select now() - interval '8 days', 'an old line' where not exists (select from app.log);

select pgmq.create('emails');

select pgmq.send('emails', jsonb_build_object('to', format('user%s@example.com', n), 'subject', 'Welcome'))
from generate_series(1, 25) n;

select cron.schedule('consume-emails', '* * * * *',
  $$select pgmq.delete('emails', msg_id) from pgmq.read('emails', 30, 5) where processed$$);
select cron.schedule('purge-log', '*/10 * * * *',
  $$delete from app.log where at < now() - interval '7 days'$$);
