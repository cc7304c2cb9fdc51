-- minimal: background work, compiled by orchestra VERSION (sha256 …).
-- Do not edit: change the spec and compile again.
--
-- 1 runtime, 1 project
--
-- Run it as the role that shall own the jobs; running it again changes nothing. It opens no transaction of its own:
-- give psql --single-transaction, or let a migration tool wrap it. A database built from this file alone starts
-- paused: `orchestra apply` opens the gate.

-- runtime.orchestra
--   …

-- project.minimal
select orchestra.claim('minimal', 'project.minimal', 'minimal', '{}');
select orchestra.register_project('minimal');
