create schema app;
create table app.got (payload jsonb);
