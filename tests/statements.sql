SELECT 1
====
SELECT 1;
====
SELECT 1;;
====
;;SELECT 1
====
; ; SELECT 1 ; ;
====
SELECT 1; SELECT 2; SELECT 3
====
SELECT 1;SELECT 2
====
SELECT ';'; SELECT 2;
====
SELECT ";" FROM (SELECT 1 AS ";"); SELECT 2;
====
SELECT `;` FROM (SELECT 1 AS `;`); SELECT 2;
====
SELECT [;] FROM (SELECT 1 AS [;]); SELECT 2;
====
SELECT 'it''s; fine'; SELECT 'x';
====
SELECT '''', ''';'''; SELECT 1;
====
SELECT """;" FROM (SELECT 1 AS """;"); SELECT 1
====
SELECT '-- no comment;'; SELECT 1
====
SELECT '/* no comment;'; SELECT '*/';
====
SELECT 1 -- a; b
====
SELECT 1 /* ; */ + 1; SELECT 2
====
SELECT /*;*/ 1 /**/; /* ; */ SELECT 2 /* ; */ ; /* */
====
SELECT 1 /* '; */; SELECT 2 /* ' */
====
SELECT 1 -- don't;
====
SELECT 4 - -1; SELECT 4 -/**/-1; SELECT 4/2; SELECT 4 /*/ not closed yet */ / 2;
====
SELECT x'3b'; SELECT X'3B3b'; SELECT x''; SELECT 1
====
SELECT 0x3b, 0X1F, 1_000, 0xab_cd, 1.5e10, .5, 5., 1e-3, 1_0.5_0e1_0; SELECT 2
====
SELECT '{"a":{"b":";"}}' -> 'a' ->> 'b'; SELECT 'a' || ';' || 'b';
====
SELECT 1<2, 1<=2, 1<>2, 1!=2, 1==2, 1=2, 1<<2, 4>>1, 1>=2, 1>2, ~1, 1|2, 1&2, 5%2; SELECT 3
====
SELECT ?; SELECT ?1; SELECT :a; SELECT @a; SELECT $a; SELECT $a::b; SELECT $a::b(c)
====
SELECT $a(;); SELECT $x::y(;;;) + 1; SELECT 3
====
SELECT 1 end; SELECT 1 AS end; SELECT "end" FROM t; SELECT end FROM t;
====
SELECT 1 trigger; SELECT 1 AS begin; SELECT 1 AS temp, 2 AS explain;
====
SELECT CASE WHEN a THEN b ELSE c END FROM t; SELECT CASE a WHEN 1 THEN 2 END END FROM t;
====
SELECT CASE [case] WHEN 1 THEN CASE 2 WHEN 3 THEN 4 END END AS end FROM t; SELECT 1
====
SELECT (SELECT CASE WHEN 1 THEN ';' END); SELECT 2
====
EXPLAIN SELECT 1; SELECT 2;
====
EXPLAIN QUERY PLAN SELECT * FROM t; SELECT 2;
====
EXPLAIN CREATE TABLE x(a); SELECT 1;
====
EXPLAIN CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 1;
====
EXPLAIN QUERY PLAN CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END; SELECT 1;
====
EXPLAIN INSERT INTO t(a) VALUES (9); EXPLAIN DELETE FROM t; EXPLAIN UPDATE t SET a = a;
====
VALUES (1), (2); VALUES (';')
====
WITH x AS (SELECT 1 AS y) SELECT y FROM x; SELECT 2
====
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n; SELECT 2
====
WITH x AS MATERIALIZED (SELECT 1), y AS NOT MATERIALIZED (SELECT 2) SELECT * FROM x, y; SELECT 3
====
WITH x AS (SELECT 5 AS a) INSERT INTO t(a) SELECT a FROM x; SELECT 2
====
WITH x AS (SELECT 5 AS a) UPDATE t SET b = (SELECT a FROM x) WHERE a = 1; SELECT 2
====
WITH x AS (SELECT 1 AS a) DELETE FROM t WHERE a IN (SELECT a FROM x); SELECT 2
====
WITH x AS (SELECT 7) REPLACE INTO t(a) SELECT * FROM x; SELECT 2
====
SELECT row_number() OVER (PARTITION BY b ORDER BY a) FROM t; SELECT 1
====
SELECT sum(a) OVER w FROM t WINDOW w AS (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW); SELECT 2
====
SELECT sum(a) FILTER (WHERE a > 1) OVER (ORDER BY a GROUPS UNBOUNDED PRECEDING EXCLUDE TIES) FROM t; SELECT 1
====
SELECT max(a) over FROM t; SELECT max(a) filter FROM t; SELECT a window FROM t;
====
SELECT a FROM t UNION SELECT id FROM u; SELECT a FROM t EXCEPT SELECT id FROM u ORDER BY 1 LIMIT 1 OFFSET 0
====
SELECT * FROM t JOIN u ON t.a = u.t_id LEFT JOIN v USING (a); SELECT * FROM t NATURAL JOIN v; SELECT * FROM t, u
====
SELECT * FROM json_each('[1,2]'); SELECT value FROM t, json_each('[1]') WHERE a IS DISTINCT FROM 1
====
INSERT INTO t(a, b) VALUES (10, 'a;b'), (11, 'c''d;'); SELECT 1
====
INSERT INTO t DEFAULT VALUES; SELECT 1
====
INSERT OR IGNORE INTO t(a) VALUES (1); INSERT OR REPLACE INTO t(a) VALUES (1); REPLACE INTO t(a) VALUES (1);
====
INSERT INTO u(id, name) VALUES (1, 'y') ON CONFLICT(id) DO UPDATE SET name = excluded.name WHERE 1; SELECT 1
====
INSERT INTO u(id, name) SELECT 1, 'z' WHERE true ON CONFLICT DO NOTHING RETURNING id; SELECT 1
====
INSERT INTO main.t AS z (a) VALUES (20) ON CONFLICT(a) DO UPDATE SET b = z.b; SELECT 1
====
UPDATE t SET b = 'x;y' WHERE a = 1; UPDATE t SET (b, c) = (1, 2); UPDATE OR IGNORE t SET a = 1
====
UPDATE t SET b = name FROM u WHERE u.t_id = t.a RETURNING t.b; SELECT 1
====
DELETE FROM t; DELETE FROM u WHERE id = 1 RETURNING *; SELECT 1
====
CREATE TABLE x(a); DROP TABLE x;
====
CREATE TABLE IF NOT EXISTS x(a TEXT DEFAULT ';', b CHECK (b IN (';', '''')), "c;d"); DROP TABLE IF EXISTS x
====
CREATE TABLE "trigger"(a, "end"); INSERT INTO "trigger" VALUES (1, 2); SELECT "end" FROM "trigger"; DROP TABLE "trigger"
====
CREATE TABLE trigger(a); SELECT 1; END
====
CREATE TABLE "create"("trigger", "begin", "end"); SELECT "trigger", "begin" FROM "create"; SELECT 1
====
CREATE TEMP TABLE x(a); SELECT 1; DROP TABLE temp.x
====
CREATE TEMPORARY TABLE x(a); SELECT 1; DROP TABLE temp.x
====
CREATE TEMP VIEW w AS SELECT 1 AS end; SELECT 1; DROP VIEW w
====
CREATE TABLE temp.trigger(a); SELECT 1
====
CREATE TABLE x AS SELECT a, b FROM t; SELECT count(*) FROM x
====
CREATE TABLE x(a INT, b INT GENERATED ALWAYS AS (a + 1) STORED, c TEXT AS (a || ';') VIRTUAL) STRICT
====
CREATE TABLE x(a INTEGER PRIMARY KEY, b TEXT) WITHOUT ROWID, STRICT
====
CREATE TABLE x(a TEXT PRIMARY KEY, FOREIGN KEY (a) REFERENCES t(a) ON DELETE SET DEFAULT) WITHOUT ROWID; SELECT 1
====
CREATE VIEW w(x, y) AS SELECT a, CASE b WHEN 1 THEN ';' END FROM t; SELECT 1; DROP VIEW IF EXISTS w
====
CREATE UNIQUE INDEX i ON t(b) WHERE b <> ';'; CREATE INDEX IF NOT EXISTS j ON t(lower(b) DESC); DROP INDEX i; DROP INDEX main.j
====
CREATE VIRTUAL TABLE r USING rtree(id, x0, x1); SELECT 1
====
CREATE VIRTUAL TABLE f USING fts5(a, tokenize = 'porter ascii'); DROP TABLE f; SELECT 1
====
ALTER TABLE t RENAME TO tt; SELECT 1; ALTER TABLE tt RENAME b TO bb; ALTER TABLE tt RENAME COLUMN bb TO b
====
ALTER TABLE t ADD x; ALTER TABLE t ADD COLUMN y TEXT NOT NULL DEFAULT ';'; ALTER TABLE t DROP COLUMN y; ALTER TABLE t DROP x
====
PRAGMA foreign_keys; PRAGMA foreign_keys = ON; PRAGMA foreign_keys(off); PRAGMA main.user_version = -3; PRAGMA table_info('t')
====
PRAGMA foreign_keys=OFF;PRAGMA defer_foreign_keys=1;SELECT 1
====
BEGIN; COMMIT; BEGIN TRANSACTION; END TRANSACTION; BEGIN IMMEDIATE; END; BEGIN DEFERRED TRANSACTION x; ROLLBACK;
====
BEGIN EXCLUSIVE; ROLLBACK TRANSACTION; BEGIN; COMMIT TRANSACTION
====
END; SELECT 1; END; END;
====
BEGIN; INSERT INTO t(a) VALUES (50); END; SELECT 1; END
====
SAVEPOINT s; RELEASE s; SAVEPOINT "x;y"; ROLLBACK TO "x;y"; ROLLBACK TRANSACTION TO SAVEPOINT "x;y"; RELEASE SAVEPOINT "x;y"
====
VACUUM; VACUUM main; ANALYZE; ANALYZE t; REINDEX; REINDEX t; REINDEX NOCASE
====
ATTACH ':memory:' AS other; CREATE TABLE other.x(a); DETACH other; ATTACH DATABASE ':memory:' AS y; DETACH DATABASE y
====
SELECT a AS 'string alias;' FROM t; SELECT 1
====
SELECT a'b;c' FROM t; SELECT a"b" FROM t; SELECT a[b;c] FROM t
====
SELECT'a;'||'b';SELECT(1);SELECT[a]FROM[t];SELECT"a"FROM"t";SELECT`a`FROM`t`
====
SELECT NULL IS NOT NULL, 1 NOTNULL, 1 ISNULL, NOT 1, 1 NOT IN (1), 'a' NOT LIKE 'b;' ESCAPE ';'; SELECT 1
====
SELECT 'a' COLLATE nocase = 'A', CAST(';' AS TEXT), CURRENT_TIMESTAMP, TRUE; SELECT 1
====
SELECT EXISTS (SELECT 1), (1, 2) = (1, 2), 5 BETWEEN 1 AND 9; SELECT 1
====
SELECT iif(1, ';', '') ; SELECT printf('%s;', 1); SELECT replace('a;b', ';', ''); SELECT group_concat(a, ';') FROM t
====
SELECT abs(-1) AS abort, 1 AS action, 2 AS after, 3 AS before, 4 AS key, 5 AS row, 6 AS plan, 7 AS query; SELECT 1
====
SELECT - - 1; SELECT 1 - - 1; SELECT 1 -- - 1
====
INSERT INTO t(b) VALUES ('CREATE TRIGGER x BEGIN'), (';END;'); SELECT 1
====
SELECT 1 /* CREATE TRIGGER g BEGIN */; SELECT 2
====
/* CREATE TRIGGER */ SELECT 1; SELECT 2
====
-- CREATE TRIGGER g AFTER INSERT ON t BEGIN
====
DELETE FROM u INDEXED BY u_n WHERE n = 1; UPDATE u NOT INDEXED SET n = 1; SELECT 1
====
SELECT'x';-- c
====
SELECT 1; -- one; two
SELECT 2; /* three;
four */ SELECT 3
-- five
====
-- leading

-- more;
SELECT 1
-- between
;

-- trailing;
====
SELECT
  -- first;
  1, /* second; */
  2
;
SELECT 3;
====
SELECT 'line
;
line'; SELECT 2
====
CREATE TABLE x (
	a INTEGER, -- the key; really
	b TEXT /* ; */
);

INSERT INTO x VALUES (1, '
;
');
====
SELECT 1 --
; SELECT 2 --;
; SELECT 3 ---- ;
;
====
/**/SELECT/**/1/**/;/**/SELECT/* */2/***/;/*****/
====
/* /* nested; */ SELECT 1; SELECT 2
====
--> statement-breakpoint
SELECT 1;
--> statement-breakpoint
SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; SELECT 3; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO u(t_id) VALUES (new.a); END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET b = ';' WHERE a = new.a; DELETE FROM u; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE WHEN new.a THEN 1 ELSE 2 END; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE WHEN new.a THEN 1 END; SELECT CASE new.b WHEN 1 THEN CASE 2 WHEN 3 THEN 4 END END; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET c = CASE WHEN new.a > 1 THEN ';END;' ELSE 'x' END WHERE a = new.a; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN RAISE(ABORT, 'no; END;') END; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT RAISE(IGNORE); SELECT RAISE(ROLLBACK, 'x'); SELECT RAISE(FAIL, 'y'); END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1 /* ; END; */; -- ; END;
SELECT 2; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; /* almost */ SELECT 2; -- the end;
 END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 'a;b', ";", [;], `;` FROM (SELECT 1 AS ";"); END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1 AS 'end'; SELECT "end" FROM t; SELECT end FROM t; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1 AS end; SELECT 2 end; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO u(id, name) SELECT 1, 'x' WHERE true ON CONFLICT(id) DO UPDATE SET name = 'y;'; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN REPLACE INTO u(id) VALUES (1); INSERT OR IGNORE INTO u(id) VALUES (1); END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN VALUES (1), (2); END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET b = name FROM u WHERE u.t_id = t.a; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT sum(a) OVER (ORDER BY a) FROM t; END; SELECT 2;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t WHERE a IN (SELECT CASE WHEN 1 THEN 2 END FROM u); SELECT 1; END; SELECT 2;
====
CREATE TRIGGER g BEFORE INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER g BEFORE INSERT ON t BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER IF NOT EXISTS g BEFORE DELETE ON t FOR EACH ROW BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER IF NOT EXISTS g BEFORE DELETE ON t FOR EACH ROW BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TEMP TRIGGER g AFTER UPDATE ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TEMP TRIGGER g AFTER UPDATE ON t BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TEMPORARY TRIGGER g AFTER UPDATE OF a, b ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TEMPORARY TRIGGER g AFTER UPDATE OF a, b ON t BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER main.g UPDATE OF b ON t WHEN new.a <> old.a BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER main.g UPDATE OF b ON t WHEN new.a <> old.a BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER g AFTER INSERT ON t WHEN CASE WHEN new.a THEN 1 ELSE 0 END BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER g AFTER INSERT ON t WHEN CASE WHEN new.a THEN 1 ELSE 0 END BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
create trigger g after insert on t begin SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; create trigger g after insert on t begin
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE/* ; */TRIGGER -- ;
 g AFTER INSERT ON t /* BEGIN */ BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE/* ; */TRIGGER -- ;
 g AFTER INSERT ON t /* BEGIN */ BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
/* first; */ CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; /* first; */ CREATE TRIGGER g AFTER INSERT ON t BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER "end" AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER "end" AFTER INSERT ON t BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER end AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER end AFTER INSERT ON t BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER trigger AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER trigger AFTER INSERT ON t BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER [a;b] AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER [a;b] AFTER INSERT ON t BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER before BEFORE INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER before BEFORE INSERT ON t BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER 'quoted name;' INSERT ON t WHEN ';' BEGIN SELECT 1; SELECT 2; END; SELECT 3
====
SELECT 0; CREATE TRIGGER 'quoted name;' INSERT ON t WHEN ';' BEGIN
  SELECT 1;
end -- done;
;
SELECT 4;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;CREATE TRIGGER h AFTER DELETE ON t BEGIN SELECT 2; END;SELECT 3
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END /* ; */ ; ;DROP TRIGGER g; DROP TRIGGER IF EXISTS main.h;
====
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END
====
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_users` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`email` text NOT NULL,
	`age` integer,
	CONSTRAINT "ck" CHECK("__new_users"."age" > 0)
);
--> statement-breakpoint
INSERT INTO `__new_users`("id", "email", "age") SELECT "id", "email", "age" FROM `users`;--> statement-breakpoint
DROP TABLE `users`;--> statement-breakpoint
ALTER TABLE `__new_users` RENAME TO `users`;--> statement-breakpoint
PRAGMA foreign_keys=ON;--> statement-breakpoint
CREATE UNIQUE INDEX `users_email_unique` ON `users` (`email`);
====
DROP INDEX IF EXISTS `nothing`;--> statement-breakpoint
PRAGMA foreign_keys=OFF;--> statement-breakpoint
CREATE TABLE `__new_u` (`id` integer PRIMARY KEY, `t_id` integer, `name` text UNIQUE, CONSTRAINT `fk_u_t` FOREIGN KEY (`t_id`) REFERENCES `t`(`a`) ON DELETE CASCADE);
--> statement-breakpoint
INSERT INTO `__new_u`(`id`, `t_id`, `name`) SELECT `id`, `t_id`, `name` FROM `u`;--> statement-breakpoint
DROP TABLE `u`;--> statement-breakpoint
ALTER TABLE `__new_u` RENAME TO `u`;--> statement-breakpoint
PRAGMA foreign_keys=ON;
====
ALTER TABLE u ADD a_id integer REFERENCES t(a);--> statement-breakpoint
ALTER TABLE `u` ADD `n2` text;
====
DROP INDEX u_n;ALTER TABLE u DROP COLUMN n;--> statement-breakpoint
ALTER TABLE u ADD n text;
====
delete from t;
ALTER TABLE t ADD `w` text NOT NULL;
====
DELETE FROM "t" where true;
PRAGMA foreign_keys=OFF;
====
CREATE TABLE IF NOT EXISTS "__drizzle_migrations" ( id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric )
====
CREATE TABLE IF NOT EXISTS "__drizzle_migrations" ( id INTEGER PRIMARY KEY, hash text NOT NULL, created_at numeric, name text, applied_at TEXT );ALTER TABLE `__drizzle_migrations` ADD COLUMN "more" text; UPDATE __drizzle_migrations SET name='x', applied_at=NULL WHERE id=1;
====
CREATE TABLE d1_migrations(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)
====
-- Custom SQL migration file, put your code below! --
====
-- Current sql file was generated after introspecting the database
-- If you want to run this migration please uncomment this code before executing migrations
/*
CREATE TABLE `a` (
	`id` integer
);

*/
====
COMMIT TRANSACTION; PRAGMA foreign_keys = OFF; BEGIN TRANSACTION; DELETE FROM t; COMMIT; PRAGMA foreign_keys=ON; BEGIN TRANSACTION;
====
CREATE INDEX hx ON u(name collate nocase desc); CREATE TABLE m1(a); CREATE TABLE m2(a);
====
ALTER TABLE t ADD m integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `t` SET `m` = 5;
====
CREATE TABLE `a` (`id` text PRIMARY KEY, `role` text DEFAULT 'user;' NOT NULL, `at` integer DEFAULT (unixepoch()) NOT NULL, `j` text DEFAULT '{}', `g` text GENERATED ALWAYS AS (lower("role")) VIRTUAL);
--> statement-breakpoint
CREATE VIEW `w` AS select "id" from "a" where "role" = 'x;';
====
