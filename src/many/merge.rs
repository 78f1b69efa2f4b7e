//! Brings the reports of all parts together to the one that a single machine would have given.

use super::checksum;
use super::tally::Tally;
use crate::error::Error;
use crate::report::fleet::{Database, Fleet, Shard, exit_code};

/// Parts that an error names.
const NAMED: usize = 10;

/// The report on all databases, of the reports on every part of them, each with the name that it has in errors.
///
/// # Errors
/// When a part is missing or there twice, when a report is none of a part, and when parts were made of other databases, with other
/// migrations or options, or by another version.
pub fn merge(parts: Vec<(String, Fleet)>) -> Result<Fleet, Error> {
    let mut parts = in_order(parts)?;
    if let Some((first, rest)) = parts.split_first() {
        rest.iter().try_for_each(|other| same(first, other))?;
    }
    let migrations = parts.iter().filter(|(_, part)| !part.inputs.migrations.is_empty());
    let migrations: Vec<_> = migrations.collect();
    if let Some((first, rest)) = migrations.split_first()
        && let Some(other) = rest.iter().find(|(_, part)| part.inputs.migrations != first.1.inputs.migrations)
    {
        return Err(mixed(&first.0, &other.0, "were rehearsed with other migrations"));
    }
    let longest = parts.iter().map(|(_, part)| part.elapsed_ms).fold(0.0, f64::max);
    let Some(first) = parts.first().map(|(_, part)| part.clone()) else {
        return Err(Error::usage(DOING, "there is none"));
    };
    let (found, meant) = (parts.iter().map(|(_, part)| part.databases.len()).sum::<usize>(), first.selection.databases);
    if found as u64 != meant {
        return Err(Error::cannot(DOING, format!("the parts have {found} databases together, and {meant} were meant")));
    }
    if let Some((name, _)) = parts.iter().find(|(_, part)| !fits_together(part)) {
        let cause = format!("`{name}` is not as it was written: its databases are not those that it counts");
        return Err(Error::cannot(DOING, cause).hint(ONE_RUN));
    }
    let mut tally = Tally::default();
    parts.drain(..).for_each(|(_, part)| tally.add_part(part));
    let counted = tally.count();
    if checksum(counted.databases.iter().map(|database| database.name.as_str())) != first.selection.checksum {
        return Err(Error::cannot(DOING, "the parts have other databases than those that were meant").hint(ONE_RUN));
    }
    Ok(Fleet {
        verdict: counted.verdict,
        exit_code: exit_code(&counted.databases),
        shard: None,
        inputs: crate::report::fleet::Inputs { migrations: counted.migrations, ..first.inputs },
        totals: counted.totals,
        elapsed_ms: longest,
        groups: counted.groups,
        schemas: counted.schemas,
        plans: counted.plans,
        slowest: counted.slowest,
        biggest: counted.biggest,
        databases: counted.databases,
        ..first
    })
}

const DOING: &str = "merging the reports";
const ONE_RUN: &str = "give the reports of one run: each part once, on the same commit and the same databases";

/// Every part exactly once.
fn in_order(parts: Vec<(String, Fleet)>) -> Result<Vec<(String, Fleet)>, Error> {
    let mut known: Vec<(Shard, String, Fleet)> = Vec::new();
    for (name, fleet) in parts {
        let Some(shard) = fleet.shard else {
            return Err(Error::cannot(DOING, format!("`{name}` is the report on all databases, and no part of one"))
                .hint("parts are what `rehearse --shard 1/2 --report json=1.json` writes"));
        };
        if let Err(why) = format!("{}/{}", shard.part, shard.of).parse::<super::Shard>() {
            return Err(Error::cannot(DOING, format!("`{name}` is part {} of {}: {why}", shard.part, shard.of)));
        }
        known.push((shard, name, fleet));
    }
    known.sort_by(|one, other| (one.0.part, &one.1).cmp(&(other.0.part, &other.1)));
    let Some(of) = known.first().map(|(shard, ..)| shard.of) else { return Ok(Vec::new()) };
    for pair in known.windows(2) {
        let [(one, first, _), (other, second, _)] = pair else { continue };
        if one.of != other.of {
            return Err(mixed(first, second, &format!("are parts of {} and of {}", one.of, other.of)));
        }
        if one.part == other.part {
            return Err(mixed(first, second, &format!("are both part {} of {of}", one.part)));
        }
    }
    let is_there = |part: &u32| known.binary_search_by_key(part, |(shard, ..)| shard.part).is_ok();
    let missing: Vec<u32> = (1..=of).filter(|part| !is_there(part)).collect();
    if let Some(rest) = missing.len().checked_sub(1) {
        let mut names: Vec<String> = missing.iter().take(NAMED).map(u32::to_string).collect();
        if missing.len() > NAMED {
            names.push(format!("{} more", missing.len() - NAMED));
        }
        let (noun, verb) = if rest == 0 { ("part", "is") } else { ("parts", "are") };
        let names = crate::findings::wording::list(&names);
        return Err(Error::cannot(DOING, format!("{noun} {names} of {of} {verb} missing"))
            .hint(format!("rehearse it: --shard {}/{of}", missing[0])));
    }
    Ok(known.into_iter().map(|(_, name, fleet)| (name, fleet)).collect())
}

fn same((first, one): &(String, Fleet), (second, other): &(String, Fleet)) -> Result<(), Error> {
    let versions = |fleet: &Fleet| (fleet.rehearse.version.clone(), fleet.rehearse.sqlite_version.clone());
    let names = |fleet: &Fleet| (fleet.selection.databases, fleet.selection.checksum.clone());
    let differs = if versions(one) != versions(other) {
        "were made by two versions of rehearse"
    } else if names(one) != names(other) {
        "are parts of two sets of databases: their names differ"
    } else if one.inputs.options != other.inputs.options {
        "were rehearsed with other options, or with another rehearse.yaml"
    } else {
        return Ok(());
    };
    Err(mixed(first, second, differs))
}

/// Whether every database is in an outcome, a schema and a state of the report, and they have as many as they say.
fn fits_together(part: &Fleet) -> bool {
    let places = |place: fn(&Database) -> Option<usize>, counts: Vec<u64>| {
        let mut found = vec![0; counts.len()];
        let is_there = part.databases.iter().filter_map(place).all(|place| match found.get_mut(place) {
            Some(number) => {
                *number += 1;
                true
            }
            None => false,
        });
        is_there && found == counts
    };
    places(|database| Some(database.group), part.groups.iter().map(|group| group.databases).collect())
        && places(|database| database.schema, part.schemas.iter().map(|schema| schema.databases).collect())
        && places(|database| database.plan, part.plans.iter().map(|plan| plan.databases).collect())
}

fn mixed(one: &str, other: &str, what: &str) -> Error {
    Error::cannot(DOING, format!("`{one}` and `{other}` {what}")).hint(ONE_RUN)
}
