//! Snapshots that are none, or that cannot be reached.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A file of this content for a snapshot.
#[track_caller]
fn refused(content: &[u8], stderr: &str) {
    let project = Project::empty();
    std::fs::create_dir(project.path("migrations")).unwrap();
    let project = project.migration("1.sql", "SELECT 1;");
    std::fs::write(project.path("prod.db"), content).unwrap();
    project.run(&MAIN).refused(4, stderr);
    project.run(&["plan", "--snapshot", "prod.db", "--migrations", "migrations"]).refused(4, stderr);
}

#[test]
fn empty() {
    refused(
        b"",
        "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: it is empty (0 bytes)
hint: is this the file that the app writes to?
more: rehearse explain SN904
",
    );
}

#[test]
fn text() {
    refused(
        b"id,email\n1,a\n",
        "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: it is a text file, not a database
more: rehearse explain SN904
",
    );
}

#[test]
fn a_part_of_a_dump() {
    refused(
        b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n",
        "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: the dump is cut off: it ends on line 3 without a COMMIT for the BEGIN of line 2
hint: take the dump again; half of one would give a wrong verdict
more: rehearse explain SN904
",
    );
}

#[test]
fn a_part_of_what_is_compressed() {
    refused(
        b"\x1f\x8b\x08\0\0\0\0\0",
        "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: what gzip compressed is cut off
more: rehearse explain SN904
",
    );
}

#[test]
fn encrypted() {
    let mixed = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).to_le_bytes()[4];
    let random: Vec<u8> = (0..8192).map(mixed).collect();
    refused(
        &random,
        "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: it has no SQLite header and looks random: it may be encrypted (SQLCipher or the like)
hint: decrypt it first, for example with SQLCipher's `sqlcipher_export`
more: rehearse explain SN904
",
    );
}

#[test]
fn truncated() {
    let project = Project::new(TABLE).migration("1.sql", "SELECT 1;");
    let bytes = std::fs::read(project.path("prod.db")).unwrap();
    std::fs::write(project.path("prod.db"), &bytes[..4096]).unwrap();
    project.run(&MAIN).refused(
        4,
        "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: it is truncated: 4096 bytes where its header says 8192
hint: copy it again, with `sqlite3 prod.db \".backup copy.db\"` where an app has it open
more: rehearse explain SN904
",
    );
}

#[test]
fn a_folder() {
    let project = Project::new(TABLE).migration("1.sql", "SELECT 1;");
    project.run(&["--snapshot", "migrations", "--migrations", "migrations"]).refused(
        2,
        "error: finding the databases of `migrations`: no file in it is a SQLite database\n\
         hint: dumps and compressed files are found by a pattern: --snapshot 'folder/*.sql.gz'\n",
    );
}

#[test]
fn a_dangling_link() {
    let project = Project::new(TABLE).migration("1.sql", "SELECT 1;");
    std::os::unix::fs::symlink("gone.db", project.path("current.db")).unwrap();
    project.run(&["--snapshot", "current.db", "--migrations", "migrations"]).refused(
        4,
        "error: opening the snapshot `current.db`: the file does not exist\nhint: it is a symbolic link to `gone.db`, which does not exist\n",
    );
}

#[test]
fn a_pipe() {
    let project = Project::new(TABLE).migration("1.sql", "SELECT 1;");
    let made = Command::new("mkfifo").arg(project.path("pipe")).status().unwrap();
    assert!(made.success());
    Ran::from(project.command(&["--snapshot", "pipe", "--migrations", "migrations"]).output().unwrap()).refused(
        4,
        "error: opening the snapshot `pipe`: it is a pipe, not a file\nhint: give it as standard input: `rehearse --snapshot - < pipe`\n",
    );
    project.assert_nothing_left();
}

#[test]
fn no_permission() {
    if is_root() {
        return skipped("root may read everything");
    }
    let project = Project::new(TABLE).migration("1.sql", "SELECT 1;");
    std::fs::set_permissions(project.path("prod.db"), PermissionsExt::from_mode(0o000)).unwrap();
    project.run(&MAIN).refused(4, "error: opening the snapshot `prod.db`: no permission to read it\n");
}

#[test]
fn no_permission_for_a_migration() {
    if is_root() {
        return skipped("root may read everything");
    }
    let project = Project::demo();
    let file = project.path("drizzle/0001_email_required.sql");
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o000)).unwrap();
    let said = "error: reading `drizzle/0001_email_required.sql`: Permission denied (os error 13)\n";
    project.run(&["--snapshot", "prod.db"]).refused(4, said);
}

#[test]
fn a_damaged_page_is_no_reason_to_crash() {
    let rows = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
        WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT i, hex(randomblob(20)) FROM n;";
    let project = Project::new(rows).migration("1.sql", "UPDATE t SET a = a;");
    let sound = std::fs::read(project.path("prod.db")).unwrap();
    for page in 1..sound.len() / 4096 {
        let mut bytes = sound.clone();
        for byte in &mut bytes[page * 4096..(page + 1) * 4096] {
            *byte = byte.rotate_left(3) ^ 0b1010_0101;
        }
        std::fs::write(project.path("prod.db"), &bytes).unwrap();
        let ran = project.run(&MAIN);
        assert!(matches!(ran.code, Some(1 | 3 | 4)), "page {page}: {:?} {}", ran.code, ran.all());
    }
}

#[test]
fn names_with_everything_in_them() {
    let project = Project::new(TABLE).migration("1.sql", "DELETE FROM t;");
    for name in ["my prod.db", "-prod.db", "prod?mode=rw&x#y%20.db", "Größe 文.db", "file:prod.db"] {
        std::fs::write(project.path(name), std::fs::read(project.path("prod.db")).unwrap()).unwrap();
        let snapshot = format!("--snapshot={name}");
        let ran = project.run(&[&snapshot, "--migrations", "migrations", "--driver", "sqlite", "-q"]);
        assert_eq!(ran.code, Some(1), "{name}: {}", ran.all());
    }
}

#[test]
fn in_a_folder_that_cannot_be_written() {
    for mode in ["DELETE", "WAL"] {
        let project =
            Project::new(&format!("PRAGMA journal_mode = {mode}; {TABLE}")).migration("1.sql", "DELETE FROM t;");
        std::fs::create_dir(project.path("mount")).unwrap();
        std::fs::rename(project.path("prod.db"), project.path("mount/prod.db")).unwrap();
        let permissions = |mode| PermissionsExt::from_mode(mode);
        std::fs::set_permissions(project.path("mount/prod.db"), permissions(0o444)).unwrap();
        std::fs::set_permissions(project.path("mount"), permissions(0o555)).unwrap();
        let ran = project.run(&["--snapshot", "mount/prod.db", "--migrations", "migrations", "--driver", "sqlite"]);
        std::fs::set_permissions(project.path("mount"), permissions(0o755)).unwrap();
        assert_eq!(ran.code, Some(1), "{mode}: {}", ran.all());
        assert!(ran.stdout.contains("not touched: size, time and content are what they were"), "{}", ran.stdout);
    }
}
