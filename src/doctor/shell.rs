//! Lines of a shell as words: enough to see which programs they run, with which files.

/// Wrappers that run what follows them.
const WRAPPERS: [&str; 23] = [
    "exec",
    "sudo",
    "env",
    "npx",
    "bunx",
    "pnpx",
    "dotenv",
    "--",
    "nice",
    "time",
    "dumb-init",
    "tini",
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "node",
    "dlx",
    "python",
    "python3",
    "uv",
    "poetry",
    "bundle",
];

/// Programs that apply migrations, by words that their command has, all of them; the first is the program.
const MIGRATING: &[&[&str]] = &[
    &["drizzle-kit", "migrate"],
    &["prisma", "migrate", "deploy"],
    &["knex", "migrate:latest"],
    &["kysely", "migrate:latest"],
    &["typeorm", "migration:run"],
    &["typeorm-ts-node-commonjs", "migration:run"],
    &["typeorm-ts-node-esm", "migration:run"],
    &["sequelize", "db:migrate"],
    &["sequelize-cli", "db:migrate"],
    &["mikro-orm", "migration:up"],
    &["alembic", "upgrade"],
    &["flask", "db", "upgrade"],
    &["manage.py", "migrate"],
    &["rails", "db:migrate"],
    &["rails", "db:prepare"],
    &["rake", "db:migrate"],
    &["artisan", "migrate"],
    &["mix", "ecto.migrate"],
    &["liquibase", "update"],
    &["flyway", "migrate"],
    &["yoyo", "apply"],
    &["pocketbase", "migrate"],
    &["sqlx", "migrate", "run"],
    &["diesel", "migration", "run"],
    &["refinery", "migrate"],
    &["geni", "up"],
    &["goose", "up"],
    &["dbmate", "up"],
    &["dbmate", "migrate"],
    &["migrate", "-path", "up"],
    &["sql-migrate", "up"],
    &["atlas", "migrate", "apply"],
    &["wrangler", "migrations", "apply"],
];

/// The last word of a command that nothing waits for.
pub(super) const BEHIND: &str = "&";

/// The commands of a line, each as words: what `&&`, `||`, `;`, `|`, `&` and a line break part. Quotes are taken off, comments left out;
/// of these only [`BEHIND`] stays.
pub(super) fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let (mut word, mut in_word) = (String::new(), false);
    let mut chars = line.chars().peekable();
    let mut quote = None;
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let is_alone = c == '&' && !matches!(before, '&' | '>' | '<' | '|') && !matches!(chars.peek(), Some('&' | '>'));
        before = c;
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some('"') | None, '\\') => match chars.next() {
                Some('\n') | None => {}
                Some(next) => {
                    in_word = true;
                    word.push(next);
                }
            },
            (None, '"' | '\'') => {
                quote = Some(c);
                in_word = true;
            }
            (None, '#') if !in_word => while chars.next_if(|c| *c != '\n').is_some() {},
            (None, _) if c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')') => {
                if let (true, Some(command)) = (in_word, commands.last_mut()) {
                    command.push(std::mem::take(&mut word));
                    in_word = false;
                }
                if let (true, Some(command)) = (is_alone, commands.last_mut().filter(|command| !command.is_empty())) {
                    command.push(BEHIND.to_owned());
                }
                if (c == '\n' || !c.is_whitespace()) && commands.last().is_some_and(|command| !command.is_empty()) {
                    commands.push(Vec::new());
                }
            }
            _ => {
                in_word = true;
                word.push(c);
            }
        }
    }
    if let (true, Some(command)) = (in_word, commands.last_mut()) {
        command.push(word);
    }
    commands.into_iter().flat_map(unpacked).collect()
}

/// What a list of words runs: itself, or where it is `sh -c LINE` the commands of the line.
pub(super) fn unpacked(words: Vec<String>) -> Vec<Vec<String>> {
    match words.as_slice() {
        [shell, option, line, ..] if is_shell(shell) && is_command_option(option) => commands(line),
        [] => Vec::new(),
        _ => vec![words],
    }
}

/// Whether a program is a shell.
pub(super) fn is_shell(word: &str) -> bool {
    ["sh", "bash", "ash", "dash", "zsh"].contains(&program(word))
}

/// `-c`, `-ec`, `-lc`.
fn is_command_option(option: &str) -> bool {
    option.starts_with('-') && !option.starts_with("--") && option.ends_with('c')
}

/// The name of a program, without its folder.
pub(super) fn program(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// Whether a command applies migrations.
pub(super) fn migrates(words: &[String]) -> bool {
    MIGRATING.iter().filter_map(|words| words.split_first()).any(|(name, rest)| {
        let Some(at) = words.iter().position(|word| program(word) == *name) else { return false };
        let is_run = words[..at].iter().all(|word| leads_on(word));
        is_run && rest.iter().all(|wanted| words[at + 1..].iter().any(|word| word == wanted))
    })
}

/// Whether what follows this word is run all the same: `npx`, `NODE_ENV=production`, `-y`.
pub(super) fn leads_on(word: &str) -> bool {
    let is_setting = word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains('/'));
    let goes_on = ["run", "exec", "rails", "ruby", "php"].contains(&word);
    WRAPPERS.contains(&program(word)) || word.starts_with('-') || is_setting || goes_on
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_into_commands() {
        let text = "a 'b c' && d \"e f\";g # h && i\nj\\\n k | l(m)";
        let expected: [&[&str]; 6] = [&["a", "b c"], &["d", "e f"], &["g"], &["j", "k"], &["l"], &["m"]];
        assert_eq!(commands(text), expected);
        assert_eq!(commands("a b & c 2>&1 &"), [vec!["a", "b", "&"], vec!["c", "2>"], vec!["1", "&"]]);
        assert!(commands("  # nothing\n;;").is_empty());
        assert_eq!(commands("a 'not closed"), [["a", "not closed"]]);
    }

    #[test]
    fn what_migrates_is_told_from_what_only_speaks_of_it() {
        for (line, expected) in [
            ("npx prisma migrate deploy", true),
            ("NODE_ENV=production node_modules/.bin/drizzle-kit migrate --config x", true),
            ("python manage.py migrate --noinput", true),
            ("npm exec -- knex migrate:latest", true),
            ("bundle exec rails db:migrate", true),
            ("goose -dir migrations sqlite3 app.db up", true),
            ("drizzle-kit push", false),
            ("prisma migrate dev", false),
            ("npx prisma migrate deploy &", true),
            ("echo run npx prisma migrate deploy first", false),
            ("node server.js", false),
        ] {
            assert_eq!(commands(line).iter().any(|command| migrates(command)), expected, "{line}");
        }
    }
}
