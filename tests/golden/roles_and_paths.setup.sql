create schema app;
create table app.who (name text);
create role app_worker nologin;
create role app_other nologin;
grant usage on schema app to app_worker, app_other;
grant insert on app.who to app_worker, app_other;
