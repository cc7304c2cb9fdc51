create schema app;
create table app.item (id int primary key);
create view app.items as select id from app.item;
