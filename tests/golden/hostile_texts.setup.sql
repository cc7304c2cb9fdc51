create schema app;
create table app.said (name text, words text);
