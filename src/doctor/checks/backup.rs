//! SN920: whether backups take what is in the write-ahead log.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::doctor::Evidence;
use crate::doctor::answer::{Answer, At};
use crate::doctor::database::is_database;
use crate::doctor::{places, shell};
use crate::findings::catalogue::SN920;
use crate::findings::{self, Finding};
use crate::migrations::project::sources::walk;
use crate::repository::or_dot;

/// Programs that copy a file as it lies there.
const COPYING: [&str; 13] =
    ["cp", "rsync", "scp", "tar", "zip", "gzip", "zstd", "s3cmd", "rclone", "restic", "borg", "aws", "gsutil"];
/// What takes a database with its log.
const SAFE: [&str; 6] = [".backup", "vacuum into", ".dump", "sqlite3_rsync", "litestream", "sqlite3_backup"];
/// Words that tell a backup from another copy.
const OF_BACKUPS: [&str; 7] = ["backup", "bak", "snapshot", "s3://", "gs://", "b2://", "r2:"];

/// Whether backups take what is in the write-ahead log.
pub(in crate::doctor) fn backup(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "backup";
    let mut answer = Answer::ok(NAME);
    if let Some(production) = &evidence.production {
        let of_file = findings::of_file(&production.facts, &production.untouched);
        answer = answer.findings(of_file.into_iter().filter(|finding| ["SN901", "SN902"].contains(&finding.rule.code)));
    }
    let mut safe = Vec::new();
    for folder in &evidence.places.0 {
        let is_own = folder == evidence.places.root();
        for file in scripts(folder, is_own) {
            let Ok(text) = places::text(&file) else { continue };
            let looked = look(&file, &text);
            answer = answer.findings(looked.unsafe_copies);
            safe.extend(looked.safe);
        }
    }
    let answer = safe.iter().fold(answer, |answer, (what, at)| answer.seen(format!("taken with `{what}`"), at));
    if answer.has_findings() || !safe.is_empty() {
        return answer;
    }
    Answer::not_found(NAME, "no script, workflow or compose file takes one")
}

/// Files that may take backups: of the project at any depth, of the folders above it only those right there.
fn scripts(folder: &Path, deep: bool) -> Vec<PathBuf> {
    let is_wanted = |name: &str| {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        ["sh", "bash", "cron", "service", "timer"].contains(&ending)
            || ["crontab", "Makefile", "justfile", "Justfile", "package.json", "litestream.yml"].contains(&name)
            || name.contains("compose") && ["yml", "yaml"].contains(&ending)
    };
    let mut files = if deep {
        walk(folder, &is_wanted).files
    } else {
        let entries = std::fs::read_dir(or_dot(folder)).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_str().is_some_and(is_wanted))
            .map(|entry| folder.join(entry.file_name()))
            .collect()
    };
    let workflows = folder.join(".github/workflows");
    let entries = std::fs::read_dir(&workflows).into_iter().flatten().flatten().take(200);
    files.extend(entries.map(|entry| workflows.join(entry.file_name())).filter(|file| file.is_file()));
    files.sort();
    files
}

#[derive(Default)]
struct Looked {
    safe: Vec<(&'static str, At)>,
    unsafe_copies: Vec<Finding>,
}

fn look(file: &Path, text: &str) -> Looked {
    let mut looked = Looked::default();
    let is_litestream = file.file_name().is_some_and(|name| name == "litestream.yml");
    let about_backups = file.to_string_lossy().to_lowercase().contains("backup");
    let lines = places::joined_lines(text);
    let code = |line: &str| line.trim_start().trim_start_matches("- ").to_lowercase();
    let is_comment = |line: &str| line.trim_start().starts_with(['#', '/']);
    // What a safe backup has made may be copied by whatever program.
    let mut made = String::new();
    let commands = lines.iter().filter(|(line, _)| !is_comment(line)).map(|(line, _)| code(line) + "\n");
    let of_logs: String = commands.filter(|line| line.contains("-wal")).collect();
    for (line, number) in lines.iter().filter(|(line, _)| !is_comment(line)) {
        let lower = code(line);
        if let Some(what) = SAFE.iter().find(|what| lower.contains(**what)) {
            made.push_str(lower.split_once(what).map_or("", |(_, behind)| behind));
            looked.safe.push((what, At::new(file, *number)));
        } else if is_litestream && lower.starts_with("path:") {
            looked.safe.push(("litestream", At::new(file, *number)));
        }
    }
    let may_miss = |source: &str| {
        let is_whole = made.contains(source) || of_logs.contains(&format!("{source}-wal"));
        !is_whole && !OF_BACKUPS.iter().any(|word| source.contains(word))
    };
    let mut known: HashMap<String, bool> = HashMap::new();
    for (line, number) in lines.iter().filter(|(line, _)| !is_comment(line)) {
        let lower = code(line);
        let is_backup = about_backups || OF_BACKUPS.iter().any(|word| lower.contains(word));
        if !is_backup || lower.contains("-wal") || SAFE.iter().any(|what| lower.contains(what)) {
            continue;
        }
        for words in shell::commands(unquoted(line)) {
            let Some(source) = copied(&words) else { continue };
            if !*known.entry(source.to_lowercase()).or_insert_with_key(|source| may_miss(source)) {
                continue;
            }
            let name = Path::new(source).file_name().unwrap_or_default().to_string_lossy().into_owned();
            looked.unsafe_copies.push(
                Finding::new(&SN920, format!("`{name}` is copied as a file, without its -wal"))
                    .object(&name)
                    .at(Some(At::new(file, *number).place()), "")
                    .cause("what is committed and not yet checkpointed stands in the -wal, and a copy that meets a checkpoint is torn")
                    .help(format!("let SQLite take it, also while the app runs:\nsqlite3 {source} \".backup 'backup.db'\"")),
            );
        }
    }
    looked
}

/// The line of a script in YAML or JSON without what is around it: `run: cp …`, `"backup": "cp …",`.
fn unquoted(line: &str) -> &str {
    let line = line.trim();
    let line = line.strip_prefix("- ").unwrap_or(line);
    for key in ["run:", "command:", "entrypoint:", "ExecStart="] {
        if let Some(rest) = line.strip_prefix(key) {
            return rest.trim();
        }
    }
    match line.strip_prefix('"').and_then(|rest| rest.split_once("\": \"")) {
        Some((_, value)) => value.trim_end_matches(',').trim_end_matches('"'),
        None => line,
    }
}

/// The database that a command copies: the first of its words that is one, and not the last word of several, which is where it goes.
fn copied(words: &[String]) -> Option<&str> {
    // A line of a crontab begins with the times.
    let at = words.iter().position(|word| COPYING.contains(&shell::program(word)))?;
    let leads = words[..at].iter().all(|word| shell::leads_on(word) || is_time(word) || word == "root");
    let is_download =
        words.get(at + 1..)?.iter().find(|word| !word.starts_with('-')).is_some_and(|word| word.contains("://"));
    let arguments: Vec<&String> =
        words[at + 1..].iter().filter(|word| !word.starts_with('-') && *word != shell::BEHIND).collect();
    let last = arguments.len().saturating_sub(usize::from(arguments.len() > 1));
    let archives = ["tar", "zip", "gzip", "zstd", "restic", "borg"].contains(&shell::program(&words[at]));
    let sources = if archives { &arguments[..] } else { &arguments[..last] };
    let source = sources.iter().find(|word| is_database(word) && !word.contains("://"));
    source.filter(|_| leads && !is_download).map(|word| word.as_str())
}

/// A field of a crontab: `*/5`, `0`, `@daily`.
fn is_time(word: &str) -> bool {
    word.starts_with('@') || word.chars().all(|c| c.is_ascii_digit() || "*/,-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_without_the_log_is_told_from_a_backup() {
        for (name, text, unsafe_copies, safe) in [
            ("backup.sh", "cp /data/app.db /backups/app.db\n", 1, 0),
            ("backup.sh", "# cp /data/app.db /backups\ncp /data/app.db /data/app.db-wal /backups/\n", 0, 0),
            ("backup.sh", "sqlite3 /data/app.db \".backup '/tmp/copy.db'\"\naws s3 cp /tmp/copy.db s3://b/\n", 0, 1),
            ("backup.sh", "sqlite3 /data/app.db \"VACUUM INTO '/tmp/copy.db'\"\ngzip /data/app.db\n", 1, 1),
            ("restore.sh", "aws s3 cp s3://b/app.db /data/app.db\n", 0, 0),
            ("restore.sh", "cp /backups/app.db /data/app.db\n", 0, 0),
            ("backup.sh", "cp /data/app.db /mnt/\ncp /data/app.db-wal /mnt/\n", 0, 0),
            ("backup.sh", "cp /data/app.db /mnt/ &\n# cp /data/app.db-wal /mnt/\n", 1, 0),
            ("test.sh", "cp fixtures/seed.db test.db\n", 0, 0),
            ("crontab", "0 3 * * * root cp /data/app.sqlite /mnt/backup/\n", 1, 0),
            ("package.json", "  \"backup\": \"cp data/app.db backup/\",\n", 1, 0),
            ("deploy.yml", "      - run: scp data/app.db host:backup/\n", 1, 0),
            ("backup.sh", "tar czf backup.tgz \\\n  /data/app.db\n", 1, 0),
            ("backup.sh", "cp -r /data /backups/data\n", 0, 0),
            ("litestream.yml", "dbs:\n  - path: /data/app.db\n", 0, 1),
            ("compose.yaml", "    command: litestream replicate\n", 0, 1),
        ] {
            let looked = look(Path::new(name), text);
            assert_eq!((looked.unsafe_copies.len(), looked.safe.len()), (unsafe_copies, safe), "{name}: {text}");
        }
    }
}
