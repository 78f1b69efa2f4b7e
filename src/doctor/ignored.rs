//! `.dockerignore`: what the builder is not given. Source: <https://docs.docker.com/build/concepts/context/#dockerignore-files>.

use std::path::{Component, Path};

/// The patterns of a file, in order; the last one that fits decides.
#[derive(Debug, Clone, Default)]
pub(super) struct Ignored(Vec<(Vec<String>, bool)>);

impl Ignored {
    /// Reads the text of a `.dockerignore`.
    pub(super) fn parse(text: &str) -> Self {
        let pattern = |line: &str| {
            let line = line.trim();
            let (line, excludes) = line.strip_prefix('!').map_or((line, true), |line| (line, false));
            let parts: Vec<String> =
                line.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
            (!line.starts_with('#') && !parts.is_empty()).then_some((parts, excludes))
        };
        Self(text.lines().filter_map(pattern).collect())
    }

    /// Whether this path below the context is left out: it, or a folder that it lies in.
    pub(super) fn excludes(&self, path: &Path) -> bool {
        let parts: Vec<String> = path
            .components()
            .filter_map(|part| match part {
                Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
                _ => None,
            })
            .collect();
        let fits = |pattern: &[String]| (1..=parts.len()).any(|length| matches(pattern, &parts[..length]));
        self.0.iter().rev().find(|(pattern, _)| fits(pattern)).is_some_and(|(_, excludes)| *excludes)
    }
}

/// Whether the parts of a path are those of a pattern; `**` stands for any number of them.
pub(super) fn matches(pattern: &[String], parts: &[String]) -> bool {
    // Which lengths of the path fit the pattern so far.
    let mut fitting = vec![false; parts.len() + 1];
    fitting[0] = true;
    for one in pattern {
        let mut next = vec![false; parts.len() + 1];
        for length in 0..=parts.len() {
            if one == "**" {
                next[length] = fitting[length] || length > 0 && next[length - 1];
            } else if length > 0 && fitting[length - 1] {
                next[length] = is_like(&parts[length - 1], one);
            }
        }
        fitting = next;
    }
    fitting[parts.len()]
}

/// Whether a name is like a pattern with `*` and `?`.
fn is_like(name: &str, pattern: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut fitting = vec![false; name.len() + 1];
    fitting[0] = true;
    for one in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        for length in 0..=name.len() {
            next[length] = match one {
                '*' => fitting[length] || length > 0 && next[length - 1],
                _ => length > 0 && fitting[length - 1] && (one == '?' || one == name[length - 1]),
            };
        }
        fitting = next;
    }
    fitting[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let ignored = Ignored::parse("# x\n*.db\n**/*.sqlite\n/data/\n!data/keep.db\ndrizzle\n!drizzle/meta\n");
        for (path, expected) in [
            ("dev.db", true),
            ("a/dev.db", false),
            ("a/b/c.sqlite", true),
            ("c.sqlite", true),
            ("data/x", true),
            ("data/keep.db", false),
            ("drizzle/0000.sql", true),
            ("drizzle/meta/_journal.json", false),
            ("src/index.ts", false),
        ] {
            assert_eq!(ignored.excludes(Path::new(path)), expected, "{path}");
        }
        assert!(Ignored::parse(&"**/".repeat(500)).excludes(Path::new(&"a/".repeat(500))));
    }
}
