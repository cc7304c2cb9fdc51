create schema app;
create table app.page (id int primary key, title text, body text, reads int not null default 0);
create table app.comment (page int, number int, words text, primary key (page, number));
create table app.seen (payload jsonb);
