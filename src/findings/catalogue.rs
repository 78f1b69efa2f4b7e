//! The one list of rules. A rule is a record here, a function in `findings::rules`, a page in `docs/rules`, a scenario in which it
//! fires and one in `scenarios/quiet` in which it nearly does; `tests/catalogue.rs` holds them together.

use super::rule::{Basis, Level, Rule};

/// Every rule, in the order of the codes.
pub static RULES: &[&Rule] = LIST;

/// The rule with this code (`LS102`) or name (`cascade-deleted-rows`); upper and lower case are the same.
#[must_use]
pub fn find(code_or_name: &str) -> Option<&'static Rule> {
    let wanted = code_or_name.trim();
    RULES.iter().copied().find(|rule| rule.code.eq_ignore_ascii_case(wanted) || rule.name.eq_ignore_ascii_case(wanted))
}

/// The family with these two letters; upper and lower case are the same.
#[must_use]
pub fn family(letters: &str) -> Option<&'static str> {
    RULES.iter().map(|rule| rule.family()).find(|family| family.eq_ignore_ascii_case(letters.trim()))
}

/// Makes one `pub static` per record, and the list of all of them.
macro_rules! rules {
    ($($code:ident $name:literal, $level:ident, $basis:ident { when: $when:literal, effect: $effect:literal, fix: $fix:literal })*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $when, ".")]
            pub static $code: Rule = Rule {
                code: stringify!($code),
                name: $name,
                level: Level::$level,
                basis: Basis::$basis,
                since: "0.1.0",
                when: $when,
                effect: $effect,
                fix: $fix,
                page: include_str!(concat!("../../docs/rules/", stringify!($code), ".md")),
            };
        )*
        static LIST: &[&Rule] = &[$(&$code),*];
    };
}

rules! {
    // LS: rows lost

    LS101 "rows-lost", Error, Measured {
        when: "a table that is still there has fewer of its rows, and no other rule explains why (a warning where a view took its name and shows fewer)",
        effect: "rows that the app wrote are gone after the deploy",
        fix: "find the statement that wrote the table, and keep the rows or delete them in a statement that says so"
    }
    LS102 "cascade-deleted-rows", Error, Measured {
        when: "rows left a table that the statement does not name, through ON DELETE CASCADE from a dropped or deleted parent",
        effect: "the child rows are gone, the migration reports success, and every integrity check is clean",
        fix: "turn foreign keys off before the migrator opens its transaction and on again after it, then run foreign_key_check"
    }
    LS103 "cascade-nulled-rows", Error, Measured {
        when: "a reference was set to NULL or to its default in a table that the statement does not name, through SET NULL or SET DEFAULT of ON DELETE or ON UPDATE",
        effect: "the child rows are still there, but no longer know to which parent they belong",
        fix: "turn foreign keys off before the migrator opens its transaction and on again after it, then run foreign_key_check"
    }
    LS104 "nonempty-table-dropped", Error, Measured {
        when: "a table with rows is gone and no other table took its rows over",
        effect: "the table's rows are gone",
        fix: "rename the table if that was meant, or copy its rows before it is dropped"
    }
    LS105 "copy-shortfall", Error, Measured {
        when: "the INSERT … SELECT of a rebuild copied fewer rows than the table had",
        effect: "the rows that were not copied are deleted with the old table",
        fix: "copy every row: no WHERE, LIMIT or inner join in the SELECT that fills the new table"
    }
    LS106 "conflict-rows-discarded", Error, Measured {
        when: "OR IGNORE, OR REPLACE or an upsert discarded or overwrote rows",
        effect: "rows that share a key with another row are gone, and no error says so",
        fix: "decide first which of the duplicates stays, with a query that says it, and insert without a conflict clause"
    }
    LS107 "explicit-delete", Warning, Measured {
        when: "a DELETE that names the table removed rows (an error where it has no WHERE, a note where other tables took them over)",
        effect: "the rows are gone as the statement says, perhaps more of them than its author had in mind",
        fix: "compare the number of rows with what the author expected, and keep a copy of them"
    }
    LS108 "rows-multiplied", Error, Measured {
        when: "a join or a repeated copy wrote more rows into a rebuilt table than the old one had",
        effect: "the same record is there several times",
        fix: "join on a key that is unique on the other side, or use a subquery that returns one value"
    }
    LS109 "orphans-created", Error, Measured {
        when: "rows refer to a parent that was there before the migrations and is not any more",
        effect: "joins drop these rows, and the next write to them fails once foreign keys are enforced",
        fix: "keep the parents, or delete or reassign their children in the same migration"
    }
    LS110 "table-emptied", Error, Measured {
        when: "a table went from some rows to none, and no other rule explains why",
        effect: "the app starts with an empty table",
        fix: "find the statement that emptied the table, and keep the rows"
    }

    // VL: values changed or lost

    VL201 "nonnull-column-dropped", Error, Measured {
        when: "a column that held values is gone and no other column took them over (a warning where what was computed from it tells them apart)",
        effect: "the column's values are gone",
        fix: "rename the column if that was meant, or copy its values before it is dropped"
    }
    VL202 "new-nulls", Error, Measured {
        when: "values of surviving rows became NULL",
        effect: "the values are gone, and code that does not expect NULL fails",
        fix: "copy the values to where they belong before the old column goes"
    }
    VL203 "values-changed", Warning, Measured {
        when: "values of surviving rows differ (an error where no statement assigns the column)",
        effect: "the app reads other values than it wrote",
        fix: "compare the number of values with what the author expected"
    }
    VL204 "storage-class-changed", Warning, Measured {
        when: "values kept their meaning in another storage class, for example the text '12' became the integer 12",
        effect: "comparisons, sorting and unique indexes treat the values differently, and drivers return another type",
        fix: "check every query and every piece of code that compares or sorts by the column"
    }
    VL205 "lossy-cast", Error, Measured {
        when: "a conversion to another storage class lost something: leading zeros, digits beyond 2^53, a fraction, an exponent, text that became 0",
        effect: "the original text or number cannot be recovered from what is stored now",
        fix: "keep the column's type, or copy the values into a new column and keep the old one until the app has moved"
    }
    VL206 "constant-fill", Error, Measured {
        when: "every value of a column is the column's own name, or one constant where there were several values",
        effect: "the column holds the same text in every row, and what it held before is gone",
        fix: "leave the new column out of the copy so that its DEFAULT applies, or select the old name of a renamed column"
    }
    VL207 "columns-shifted", Error, Measured {
        when: "all changed values of a column are what another column of the same rows held, or names of columns or tables were exchanged",
        effect: "the app reads one thing under the name of another, and every count and constraint is as it was",
        fix: "name the columns on both sides of the INSERT … SELECT, in the same order"
    }
    VL208 "text-altered", Error, Measured {
        when: "texts of surviving rows are truncated, trimmed, in another case or encoding, or without a NUL (a warning where an UPDATE that names the column trimmed or changed case only)",
        effect: "what was cut or replaced cannot be recovered, and comparisons, links and signatures no longer match",
        fix: "carry the text over as it is; if it shall be changed, in a statement of its own that says so"
    }
    VL209 "blank-null-flip", Warning, Measured {
        when: "the empty text became NULL, or NULL became the empty text",
        effect: "IS NULL, count(), unique indexes and joins treat the two differently, and so does code that expects one of them",
        fix: "check every query that asks for '' or for NULL"
    }
    VL210 "distinct-collapsed", Warning, Measured {
        when: "the values of a column were all different and are not any more, in rows that are still there",
        effect: "what told rows apart no longer does: look-ups find several rows, and a unique index fails later",
        fix: "find the values that became equal before the migration, and decide what each of them shall be"
    }
    VL211 "rowid-renumbered", Warning, Measured {
        when: "rows of a table without INTEGER PRIMARY KEY have another rowid than before (a note where the table has a primary key, an error where a full-text index, a view or a trigger relies on it)",
        effect: "whatever keeps rowids, a full-text index, a cache, a link, refers to other rows",
        fix: "copy the rowid too, or give the table an INTEGER PRIMARY KEY"
    }
    VL212 "autoincrement-reset", Warning, Measured {
        when: "an AUTOINCREMENT key goes on below the highest id that it had given out",
        effect: "ids of deleted rows are given out again, and what still refers to them refers to other rows",
        fix: "carry the row of sqlite_sequence over to the rebuilt table before the old one is dropped"
    }

    VL213 "default-overwrote", Warning, Measured {
        when: "existing values became the column's DEFAULT, and no UPDATE assigns the column",
        effect: "what the users had chosen is as if they had never chosen",
        fix: "name the column on both sides of the INSERT … SELECT"
    }
    VL214 "bulk-update", Note, Measured {
        when: "an UPDATE filled NULLs of a column that was there before (a warning where it has no WHERE)",
        effect: "rows hold a value that nobody entered, perhaps more of them than its author had in mind",
        fix: "compare the number of rows with what the author expected"
    }

    // SC: schema

    SC301 "index-lost", Error, Measured {
        when: "an index is gone and no equal one took its place (a warning where another one has its name, a note where a statement drops it by name)",
        effect: "queries that used it read the whole table; if it was unique, duplicates are accepted",
        fix: "create the index again after the rebuild"
    }
    SC302 "trigger-lost", Error, Measured {
        when: "a trigger is gone (a note where a statement drops it by name, or where it went with its table and was made anew with another text)",
        effect: "what the trigger kept up to date no longer is, and no error says so",
        fix: "create the trigger again after the rebuild"
    }
    SC303 "view-lost", Error, Measured {
        when: "a view is gone (a note where a statement drops it by name)",
        effect: "queries that read it fail",
        fix: "create the view again"
    }
    SC304 "view-broken", Error, Measured {
        when: "a view that could be read before cannot be read any more",
        effect: "queries that read it fail",
        fix: "drop the view before the change and create it again for the new shape after it"
    }
    SC305 "trigger-broken", Error, Measured {
        when: "a trigger that could be compiled before cannot be compiled any more",
        effect: "every write that fires it fails",
        fix: "drop the trigger before the change and create it again for the new shape after it"
    }
    SC306 "foreign-key-lost", Warning, Measured {
        when: "a table no longer has a foreign key that it had",
        effect: "rows without a parent are accepted, and deleting a parent no longer reaches its children",
        fix: "declare the foreign key in the rebuilt table, with its ON DELETE and ON UPDATE"
    }
    SC307 "foreign-key-retargeted", Error, Measured {
        when: "a foreign key refers to another table than before, and its parent was not renamed to that",
        effect: "writes to the child fail or are checked against the wrong table",
        fix: "rebuild the child with the right REFERENCES, or rename tables with legacy_alter_table off"
    }
    SC308 "check-lost", Warning, Measured {
        when: "a table no longer has a CHECK constraint that it had",
        effect: "values that were refused before are accepted",
        fix: "declare the constraint in the rebuilt table"
    }
    SC309 "not-null-lost", Warning, Measured {
        when: "a column that was NOT NULL accepts NULL",
        effect: "rows without the value are accepted, and code that relies on it fails later",
        fix: "declare the column NOT NULL in the rebuilt table"
    }
    SC310 "unique-lost", Error, Measured {
        when: "a UNIQUE constraint or unique index is gone or weaker and nothing else keeps the columns unique",
        effect: "duplicates are accepted, and ON CONFLICT on these columns fails",
        fix: "create the unique index again after the rebuild"
    }
    SC311 "primary-key-changed", Warning, Measured {
        when: "a table that had a primary key has another one or none (a note where only the order of its columns differs)",
        effect: "rows that were refused as duplicates are accepted or the other way round, and ON CONFLICT and REPLACE act on other rows",
        fix: "declare the primary key in the rebuilt table as it was"
    }
    SC312 "default-changed", Note, Measured {
        when: "columns that had a DEFAULT have another one or none",
        effect: "rows that are inserted without the column get another value, or NULL",
        fix: "declare the DEFAULT in the rebuilt table as it was"
    }
    SC313 "collation-changed", Warning, Measured {
        when: "columns have another COLLATE than before",
        effect: "comparisons, sorting and unique keys tell texts apart that were the same, or the other way round: 'Ada' and 'ada'",
        fix: "declare the COLLATE in the rebuilt table as it was"
    }
    SC314 "strict-or-without-rowid-changed", Warning, Measured {
        when: "a table is no longer STRICT or WITHOUT ROWID (a note where it became so)",
        effect: "without STRICT a column accepts values of every storage class; without WITHOUT ROWID the key is an index beside the rows, and NULL is accepted in it",
        fix: "write the table options behind the closing parenthesis of the rebuilt table"
    }
    SC315 "generated-column-changed", Warning, Measured {
        when: "columns that were GENERATED are not any more, or are computed in another way",
        effect: "a column that is no longer computed stays as it is, or empty, when what it depended on changes",
        fix: "declare the column in the rebuilt table GENERATED as it was"
    }
    SC316 "autoincrement-lost", Warning, Measured {
        when: "the key of a table is no longer AUTOINCREMENT",
        effect: "the id of the last row is given out again once that row is deleted, and what still refers to it refers to another row",
        fix: "declare the key of the rebuilt table INTEGER PRIMARY KEY AUTOINCREMENT"
    }
    SC317 "leftover-rebuild-table", Warning, Measured {
        when: "a table with a name that tools give to the new half of a rebuild, such as `__new_users`, is there after the run",
        effect: "a rebuild did not finish: rows may be in the wrong table, and the next rebuild fails",
        fix: "compare it with the table it was made for, take over the rows that are only there, and drop it"
    }
    SC318 "column-order-changed", Note, Measured {
        when: "the columns that a table had before and after are in another order",
        effect: "what reads or writes by place, SELECT * and INSERT without a list of columns, takes one column for another",
        fix: "declare the columns of the rebuilt table in the order that they had, and name columns in the app"
    }
    SC319 "fts-out-of-sync", Warning, Measured {
        when: "the index of a full-text table no longer matches the rows of the table that it indexes (a note where it did not before)",
        effect: "searches find rows that are gone, miss rows that are there, or fail",
        fix: "end the migration with the command that builds the index anew: INSERT INTO search(search) VALUES('rebuild')"
    }
    SC320 "user-version-changed", Warning, Measured {
        when: "user_version or application_id is another number, and it is not the ledger of the tool",
        effect: "an app or another tool that keeps its own version there takes the database for another one",
        fix: "leave out the PRAGMA, unless the number is yours"
    }
    SC322 "foreign-key-action-changed", Warning, Measured {
        when: "a foreign key refers to the same parent with another ON DELETE, ON UPDATE or DEFERRABLE INITIALLY DEFERRED",
        effect: "deleting a parent now keeps its children, takes them along or fails, other than the app expects",
        fix: "declare the foreign key in the rebuilt table with the ON DELETE, ON UPDATE and DEFERRABLE that it had"
    }
    SC323 "affinity-changed", Note, Measured {
        when: "columns are declared with a type of another affinity, and hold values that it did not convert",
        effect: "what is written from now on is stored in another storage class than what is there, and compares and sorts differently",
        fix: "keep the declared type, or convert what is there in the same migration"
    }
    SC324 "conflict-clause-changed", Warning, Measured {
        when: "a NOT NULL, UNIQUE or primary key is still there, and has another ON CONFLICT or none",
        effect: "a row that breaks it is ignored, replaces others, or makes the app fail, other than the app expects",
        fix: "write the ON CONFLICT behind the constraint in the CREATE TABLE of the rebuild"
    }

    // IN: integrity

    IN401 "integrity-check-failed", Error, Measured {
        when: "PRAGMA integrity_check reports a problem after the run that it did not report before",
        effect: "the file contradicts its own schema, and queries can return wrong rows",
        fix: "find the statement that wrote past the constraint, and correct the rows first"
    }
    IN402 "new-foreign-key-violations", Error, Measured {
        when: "PRAGMA foreign_key_check reports rows that it did not report before although no parent row was lost: the foreign key is new, or the rows are",
        effect: "rows break a foreign key from its first day, and the next write to them fails",
        fix: "delete or reassign the rows before the foreign key is added"
    }
    IN403 "existing-foreign-key-violations", Note, Measured {
        when: "PRAGMA foreign_key_check reports rows of the snapshot, before any migration ran",
        effect: "production already holds rows without a parent, and a rebuild with foreign keys on may fail on them",
        fix: "list them with PRAGMA foreign_key_check and repair them in a migration of its own"
    }
    IN404 "check-constraint-violated", Error, Measured {
        when: "rows break a CHECK of their table that did not break it before (a note for rows that did)",
        effect: "the next rebuild of the table, and every UPDATE of these rows, fails on them",
        fix: "correct the rows before they are written, and leave ignore_check_constraints and writable_schema alone"
    }
    IN405 "fts-integrity", Error, Measured {
        when: "the index of a full-text table that keeps its own rows does not match them, and did before",
        effect: "searches miss rows, find wrong ones, or fail with \"database disk image is malformed\"",
        fix: "write the full-text table itself, never the tables in which it keeps its index"
    }
    IN406 "snapshot-already-corrupt", Error, Measured {
        when: "PRAGMA integrity_check complains of the snapshot itself (a warning where only values break their declaration, or a full-text index its rows)",
        effect: "what was read of the state before may be wrong, and with it every number in the report",
        fix: "repair production first, take a new snapshot and rehearse that"
    }

    // TX: transactions and driver

    TX501 "pragma-without-effect", Warning, Inferred {
        when: "PRAGMA foreign_keys runs inside a transaction, where SQLite ignores it, and would have changed the setting",
        effect: "the statements after it run with the other setting than the file says",
        fix: "set the pragma before the migrator opens its transaction: around migrate(), in the app"
    }
    TX502 "parent-rebuilt-with-foreign-keys-on", Warning, Inferred {
        when: "a table that others refer to was dropped with foreign keys on, and today no row was lost",
        effect: "the same migration deletes or nulls rows, or fails, as soon as a child row is there",
        fix: "turn foreign keys off before the migrator opens its transaction and on again after it"
    }
    TX503 "defer-does-not-stop-cascade", Warning, Inferred {
        when: "PRAGMA defer_foreign_keys=ON stands before the drop of a parent with ON DELETE CASCADE, SET NULL or SET DEFAULT",
        effect: "the pragma defers the check, not the action: child rows are deleted or nulled at once",
        fix: "turn foreign keys off before the migrator opens its transaction and on again after it"
    }
    TX504 "nested-transaction", Warning, Inferred {
        when: "a migration ends the transaction that its tool has opened, with a COMMIT or ROLLBACK of its own",
        effect: "what ran so far can no longer be undone when a later statement fails; some drivers refuse the rest of the file",
        fix: "remove BEGIN and COMMIT from the file: the migrator already runs it in a transaction"
    }
    TX505 "vacuum-or-attach-in-transaction", Error, Measured {
        when: "VACUUM or DETACH fails because a transaction is open",
        effect: "the deploy fails at this statement",
        fix: "run it outside of the migrations, when no transaction is open"
    }
    TX506 "not-atomic", Error, Measured {
        when: "a failed migration left a part of itself committed (a note where several writing statements of one ran outside of one transaction)",
        effect: "the next start runs the migration from its first statement again, on a database that already has a part of it",
        fix: "run each migration in one transaction, or keep it to one statement"
    }
    TX507 "pending-skipped", Warning, Inferred {
        when: "a migration is not in the ledger, and by the tool's rule it will never run",
        effect: "the migrator reports success, and what the file creates is missing in production",
        fix: "give the migration a journal time after the newest applied one, or generate it again"
    }
    TX508 "applied-file-changed", Warning, Inferred {
        when: "a migration that was applied has another content today",
        effect: "production has what the old file did; a new database gets what the new file does",
        fix: "restore the file as it was applied, and put the change into a new migration"
    }
    TX509 "foreign-keys-left-off", Warning, Measured {
        when: "foreign keys were on when the tool got the connection, and are off when it is done",
        effect: "until the app opens another connection, rows without a parent are accepted and nothing cascades",
        fix: "set PRAGMA foreign_keys = ON at the end, outside of a transaction"
    }
    TX510 "double-quoted-string", Warning, Inferred {
        when: "a double-quoted name that is no column was read as a string",
        effect: "the statement writes or compares the name itself; another driver refuses it",
        fix: "single quotes for a string; for a column, the right name"
    }
    TX511 "outcome-differs-by-driver", Warning, Measured {
        when: "nothing tells which driver production uses, and the outcome is not the same under all that fit",
        effect: "the same files keep the rows under one driver and lose them, or fail, under another",
        fix: "name the driver with --driver"
    }
    TX512 "sqlite-version-gap", Warning, Inferred {
        when: "a statement needs a newer SQLite than the driver ships (an error where the lock file shows that it surely does)",
        effect: "it runs in the rehearsal and fails in production",
        fix: "write it in older words, or take a newer version of the driver"
    }
    TX513 "implicit-column-list", Warning, Inferred {
        when: "the copy of a rebuild puts columns where they belong by their order alone, and their names differ (a note for SELECT * where they agree)",
        effect: "a column that is added or moved later shifts every value into its neighbour",
        fix: "name the columns on both sides: INSERT INTO new (a, b) SELECT a, b FROM old"
    }
    TX514 "chunk-partly-run", Error, Measured {
        when: "the driver runs only the first statement of a chunk, and the migration is recorded as applied",
        effect: "the other statements never run, in this deploy or any later one",
        fix: "put `--> statement-breakpoint` between the statements"
    }

    // EX: execution

    EX601 "migration-failed", Error, Measured {
        when: "a migration failed on the copy, or the tool refused to start",
        effect: "the deploy fails, and what was not in a transaction stays half done",
        fix: "correct the statement, or the rows that it fails on"
    }
    EX602 "fails-on-data", Error, Measured {
        when: "a migration failed on the copy, and the same migration passes on the same schema without rows",
        effect: "every test on an empty database is green, and the deploy fails",
        fix: "correct the rows before the statement that demands it, in an earlier step of the migration"
    }
    EX603 "rerun-not-a-no-op", Warning, Measured {
        when: "running the tool a second time, with nothing new to apply, fails or changes something",
        effect: "every start of the app does it again",
        fix: "write statements that may run twice, or have the tool record what was applied"
    }
    EX604 "down-failed", Error, Measured {
        when: "a migration that completed cannot be undone: its down migration fails on the copy, or there is none",
        effect: "a deploy that goes wrong has no way back but a restore",
        fix: "correct the down migration, or decide that a restore is the way back"
    }
    EX605 "down-loses-data", Error, Measured {
        when: "after up and down rows or values are not what they were (a warning where only the schema is another)",
        effect: "whoever rolls back a deploy loses what the report names",
        fix: "keep what the up migration removes in a table of its own until there is no way back"
    }
    EX606 "failure-leaves-partial-state", Warning, Measured {
        when: "after a death of the process a part of a migration is there that the ledger does not account for (an error where the database is damaged, a note where the migration is whole)",
        effect: "the app and the next start meet a database that no migration has left",
        fix: "make each migration one transaction"
    }
    EX607 "cannot-resume", Warning, Measured {
        when: "after a death of the process running the tool again fails, is refused or leaves something else",
        effect: "a deploy that is interrupted stays so until a person repairs it",
        fix: "make each migration one transaction, and know the tool's way out before the deploy"
    }
    EX608 "nondeterministic", Note, Measured {
        when: "two runs on the same snapshot do not leave the same (a warning where no random number or time in a statement is the reason, or one run leaves more rows)",
        effect: "what was rehearsed is not exactly what production will have",
        fix: "write the value into the file where it matters, and an ORDER BY with a key where rows are picked"
    }
    EX609 "nothing-pending", Note, Inferred {
        when: "every migration of the folder is already applied",
        effect: "the deploy changes nothing",
        fix: "nothing, unless a migration was expected to run"
    }
    EX610 "time-limit", Error, Measured {
        when: "the migrations, or the command that runs them, did not end within the time limit",
        effect: "what would have been done is not known, and a deploy would wait as long",
        fix: "raise --time-limit, or take away what does not end"
    }
    EX611 "unsafe-sql", Error, Measured {
        when: "a migration reaches another file or writes SQLite's own schema table, which a rehearsal does not do",
        effect: "production would run it: what it does there, and what follows it, is not known",
        fix: "take it out of the migration, or rehearse with --allow-unsafe-sql where the migrations are trusted"
    }
    EX612 "resource-limit", Error, Measured {
        when: "a statement wants more disk than --max-growth or more memory than SQLite is given in a rehearsal",
        effect: "production may run out of disk or memory in the middle of the migration",
        fix: "work on the rows in parts, or raise --max-growth where that much is meant"
    }

    // RS: time, locks and disk

    RS701 "slow-migration", Warning, Measured {
        when: "all pending migrations together, or the command, take longer than `thresholds.migration_time` (30s)",
        effect: "the deploy stands still for as long, and who starts the app may give up and begin again",
        fix: "change data in batches behind the deploy, and let migrations change the schema"
    }
    RS702 "long-write-lock", Warning, Measured {
        when: "the write lock is held without a break for longer than `thresholds.lock_time` (5s)",
        effect: "every other writer waits, and gives up with SQLITE_BUSY when its busy timeout is over",
        fix: "make the transaction shorter, or let the app wait longer"
    }
    RS703 "wal-peak", Warning, Measured {
        when: "the write-ahead log or the rollback journal grows to more than `thresholds.wal` (1G)",
        effect: "the disk must have room for it, and a log keeps its size afterwards",
        fix: "write in batches with a COMMIT of their own"
    }
    RS704 "not-enough-disk", Error, Measured {
        when: "the migrations need more free space than `--disk-free` says there is (a warning where only temporary files are too much, or nothing could be counted)",
        effect: "they fail with SQLITE_FULL, and the app cannot write either while the disk is full",
        fix: "make room before the deploy, or write less at once"
    }
    RS705 "file-grew", Note, Measured {
        when: "the database grows by more than `thresholds.growth` (100M) and by more than a half",
        effect: "disk and backups must have room for it",
        fix: "see that they have, and give free pages back with VACUUM when there is time for it"
    }
    RS706 "full-table-rewrite", Note, Measured {
        when: "one statement writes every row of a table anew, and these are more than `thresholds.rewritten_rows` (1,000,000)",
        effect: "its time, its lock and its space grow with the table",
        fix: "where the rows need not change at once, change them in batches"
    }
    RS707 "readers-blocked", Warning, Measured {
        when: "readers are shut out without a break for longer than `thresholds.reader_wait` (1s), which happens with a rollback journal only",
        effect: "the app cannot even read meanwhile",
        fix: "use WAL mode"
    }
    RS708 "slow-statement", Warning, Measured {
        when: "one statement takes longer than `thresholds.statement_time` (10s)",
        effect: "nobody can write meanwhile, and the deploy waits for it",
        fix: "change rows in batches, or make the index first that the statement needs"
    }

    // QC: queries of the app

    QC801 "old-query-breaks", Error, Measured {
        when: "a query of `--queries` works on the schema before the migrations and fails on the one after, or reads a text where a column was",
        effect: "the app that runs during the deploy fails, and every later one that still sends the query",
        fix: "deploy an app that does not send it, and take away what it needs in a later deploy"
    }
    QC802 "new-query-breaks", Warning, Measured {
        when: "a query of `--queries` works on the schema after the migrations and fails on the one before",
        effect: "an app that starts before the migrations have run fails",
        fix: "let the app start after the migrations, on every machine"
    }
    QC803 "plan-regressed", Warning, Measured {
        when: "a query of `--queries` found the rows of a table by an index and reads or sorts all of them after the migrations, 1,000 or more",
        effect: "it takes longer with every row, and a query that writes holds the lock meanwhile",
        fix: "create the index again, or run ANALYZE where the statistics are gone"
    }
    QC804 "select-star-changed", Warning, Measured {
        when: "a query of `--queries` works before and after the migrations and gives other columns, as `SELECT *` does",
        effect: "an app that reads results by position, or by a name that is gone, gets something else",
        fix: "name the columns in the query"
    }
    QC805 "positional-insert-breaks", Error, Measured {
        when: "an INSERT of `--queries` that names no columns, or takes `*` of another table, has another number of values than there are columns after the migrations, or puts one into another column",
        effect: "the app cannot write, or writes values into the wrong column",
        fix: "name the columns in the INSERT"
    }
    QC806 "result-changed", Error, Measured {
        when: "a query of `--queries` that is marked with `rehearse: compare` gives another result after the migrations, or fails",
        effect: "the app shows or counts something else after the deploy",
        fix: "correct the migration, or take the mark away where another result is meant"
    }
    QC807 "query-not-checked", Warning, Measured {
        when: "a query of `--queries` fails before and after the migrations (an error where it could not be checked at all, or is marked and its result was not compared)",
        effect: "it is not known whether the app still works with it",
        fix: "look at it by hand, or take it out of the files"
    }

    // SN: snapshot and upkeep

    SN901 "wal-not-included", Warning, Inferred {
        when: "the snapshot is a main file in WAL mode without its write-ahead log",
        effect: "the newest commits may be missing from the rehearsal",
        fix: "take the snapshot with sqlite3 prod.db \".backup snapshot.db\" or VACUUM INTO, or copy the -wal file along"
    }
    SN902 "hot-journal", Warning, Inferred {
        when: "a rollback journal lies beside the snapshot: a transaction was under way when it was copied",
        effect: "the file holds half of a transaction until the journal is rolled back",
        fix: "take the snapshot with sqlite3 prod.db \".backup snapshot.db\" or VACUUM INTO"
    }
    SN903 "snapshot-stale", Warning, Measured {
        when: "the snapshot is older than the age that was allowed",
        effect: "rows that were written since are not rehearsed",
        fix: "take a new snapshot"
    }
    SN904 "not-a-database-or-encrypted", Error, Measured {
        when: "the snapshot cannot be read as a SQLite database: text, empty, truncated or encrypted",
        effect: "no rehearsal is possible",
        fix: "take the snapshot again; decrypt an encrypted one first"
    }
    SN905 "snapshot-changed-while-read", Error, Measured {
        when: "somebody wrote to the snapshot during the rehearsal (a note where a whole copy of it was rehearsed)",
        effect: "the rehearsal speaks of an older state, or no consistent copy could be taken",
        fix: "rehearse a snapshot that nobody writes to"
    }
    SN906 "missing-function-or-module", Error, Measured {
        when: "a migration fails, or a table cannot be read, because this SQLite lacks a function, module or collation (a warning for a view or trigger)",
        effect: "what needs it cannot be rehearsed; in production it works only if the app registers it before the migrations run",
        fix: "register it before the migrations run, or keep what needs it out of them"
    }
    SN907 "unused-waiver", Warning, Inferred {
        when: "a waiver covers no finding: there is none, its migration is applied, or it limits what is not counted",
        effect: "it would cover a loss of tomorrow that nobody has looked at",
        fix: "take the waiver out"
    }
    SN908 "waiver-exceeded", Error, Measured {
        when: "more rows or values are concerned than a waiver allows",
        effect: "the waiver covers nothing, and what was allowed is more than what was looked at",
        fix: "look at the difference; raise the number only if that is intended too"
    }
    SN909 "waiver-expired", Error, Inferred {
        when: "a waiver would cover a finding, and its last day is past; at the level of that finding",
        effect: "the waiver covers nothing",
        fix: "take the waiver out, or look again and give it a later day"
    }
    SN910 "statement-not-understood", Warning, Measured {
        when: "a statement changed the database and its words do not tell how: an unknown statement, or one that writes sqlite_schema",
        effect: "what it did is compared, but the cause that findings name may be incomplete",
        fix: "write the change as statements that SQLite has for it, or look at the tables by hand"
    }
    SN911 "not-compared", Error, Measured {
        when: "a table could not be compared",
        effect: "what the migrations did to it is not known",
        fix: "see the reason in the report; give the table a key, or look at it by hand"
    }
    SN912 "undescriptive-name", Note, Inferred {
        when: "a pending migration has the two random words for a name that drizzle-kit invents",
        effect: "nobody can see from the folder what it does",
        fix: "drizzle-kit generate --name add_user_plan"
    }
    SN913 "not-wal-mode", Warning, Inferred {
        when: "the snapshot is in rollback mode and no file of the project turns WAL on, or one turns it off",
        effect: "nobody reads while a migration commits, and a migration that finds readers fails with `database is locked`",
        fix: "PRAGMA journal_mode = WAL, once, where the app opens the database"
    }
    SN914 "database-not-on-a-volume", Warning, Inferred {
        when: "the database lies in the container itself: no volume of the service is mounted there, or only one that goes with the container",
        effect: "the next deploy starts with an empty database, and what was written is gone",
        fix: "mount a named volume or a folder of the host on the folder of the database"
    }
    SN915 "push-managed-database", Error, Inferred {
        when: "the snapshot has tables but no ledger, so the migrator would begin with the first migration",
        effect: "the first migration fails, because the tables that it creates are already there",
        fix: "record the migrations that the database already has in the ledger, once"
    }
    SN916 "schema-drifted", Warning, Measured {
        when: "the snapshot's schema is not what the applied migrations make on an empty database",
        effect: "what was changed by hand or by `push` is in no migration: a rebuild loses it, and a pending migration may fail on it",
        fix: "put what shall stay into a migration that also runs where it is there already, and undo the rest by hand"
    }

    SN917 "migrate-not-at-startup", Warning, Inferred {
        when: "the server listens before the migrations run, or does not wait for them, or they run in the release command of fly.toml, which has no volume (a note where nothing that migrates is found)",
        effect: "requests meet the old schema while it is being changed, or a schema that nobody has migrated",
        fix: "migrate first and listen then, in the entry file or in the command that starts the container"
    }
    SN918 "migrations-not-in-image", Warning, Inferred {
        when: "the app migrates when it starts, and no COPY of the Dockerfile's last stage brings the migrations along",
        effect: "the container finds no migrations: it does not start, or starts on the old schema",
        fix: "COPY the folder of the migrations in the last stage, and take it out of .dockerignore"
    }
    SN919 "database-in-image", Warning, Inferred {
        when: "a COPY of the Dockerfile's last stage brings a SQLite database along",
        effect: "whoever can pull the image reads its rows, and a container without a volume starts with that state each time",
        fix: "exclude it in .dockerignore"
    }
    SN920 "backup-without-wal", Warning, Inferred {
        when: "a script copies the database file as a file, and not its -wal",
        effect: "the newest commits are missing from the backup, and a copy in the middle of a checkpoint is damaged",
        fix: "take the backup with sqlite3 prod.db \".backup backup.db\", VACUUM INTO, sqlite3_rsync or litestream"
    }
    SN921 "foreign-keys-off", Warning, Inferred {
        when: "the schema has foreign keys, and the app's connections do not enforce them",
        effect: "rows that refer to nothing are written, and ON DELETE does nothing",
        fix: "PRAGMA foreign_keys = ON on every connection, after the migrations"
    }
    SN922 "synchronous-off", Warning, Inferred {
        when: "a file of the project sets `PRAGMA synchronous = OFF`",
        effect: "a power cut or a crash of the machine can damage the database",
        fix: "PRAGMA synchronous = NORMAL in WAL mode, FULL otherwise"
    }
    SN923 "journal-and-files-differ", Warning, Inferred {
        when: "drizzle's _journal.json and the folder do not fit: a file without an entry, a tag or idx twice, a `when` that falls (an error for an entry without a file)",
        effect: "a migration never runs, or the migrator refuses to start",
        fix: "generate the migration anew, so that drizzle-kit writes file and entry together"
    }
    SN924 "rebuild-to-review", Note, Inferred {
        when: "a migration that is to run copies a table into a new one, drops it and takes its name",
        effect: "what the new table does not have is lost with the old one: rows, columns, indexes, triggers, and the rows of its children",
        fix: "read it, and rehearse it: rehearse --snapshot prod.db"
    }

    SN925 "unexpected-by-code", Error, Measured {
        when: "the schema that the code expects, by drizzle-kit's newest snapshot, is not the one that it will find after the migrations",
        effect: "queries of the app fail, or it relies on a constraint that is not there",
        fix: "put back what was taken out of a migration, or write one that makes it so; or correct the schema of the code"
    }

    // EP: what a person demands

    EP951 "expectation-not-met", Error, Measured {
        when: "the outcome is not what `expect` in rehearse.yaml demands of a table, a column or a query",
        effect: "what was promised about the data does not hold after the deploy",
        fix: "correct the migration, or change the expectation where the outcome is meant"
    }
    EP952 "invariant-changed", Error, Measured {
        when: "a query that `expect` in rehearse.yaml wants to stay the same gives another result after the migrations, or fails",
        effect: "the app gets other answers after the deploy",
        fix: "correct the migration, or change the query where another result is meant"
    }
}
