create schema app;
create table app.item (id int primary key, taken boolean not null default false);
create role web nologin;
