create schema "Odd Schema";
create schema "it's";
create table "Odd Schema"."Order ""Lines""" ("I d" int primary key, "To tal" int, "it's" text);
create table "Odd Schema"."Took" (key text);
create role "Odd Role" nologin;
grant usage on schema "Odd Schema" to "Odd Role";
grant insert on "Odd Schema"."Took" to "Odd Role";
