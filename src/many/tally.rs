//! Brings outcomes together, one after the other and in any order, in memory that goes with the number of different outcomes; of each
//! database one line is kept.
//!
//! What is kept of a group or a cluster is of its first database by name. Reports are kept of the first groups only, by gravity and by that
//! name. A group that is among them in the end was among them at every moment since its first database came, so that nothing is missing, and
//! it does not matter whether outcomes come one by one or in parts.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::outcome::{Outcome, Rehearsed};
use super::schema;
use crate::report::fleet::{
    Database, File, Fleet, Group, PlanCluster, REPORTS, SCHEMAS, SchemaCluster, Spread, Totals, Verdict,
};

/// Names of the slowest and the biggest.
const EXTREMES: usize = 5;

/// The outcomes so far.
#[derive(Default)]
pub(super) struct Tally {
    groups: BTreeMap<String, Group>,
    schemas: BTreeMap<String, SchemaCluster>,
    plans: BTreeMap<String, PlanCluster>,
    migrations: Vec<File>,
    lines: Vec<Line>,
}

/// A database, with the names of what it is in.
struct Line {
    database: Database,
    group: String,
    schema: Option<String>,
    plan: Option<String>,
}

/// Everything that outcomes make of a report.
pub(super) struct Counted {
    pub verdict: Verdict,
    pub totals: Totals,
    pub groups: Vec<Group>,
    pub schemas: Vec<SchemaCluster>,
    pub plans: Vec<PlanCluster>,
    pub slowest: Vec<String>,
    pub biggest: Vec<String>,
    pub databases: Vec<Database>,
    pub migrations: Vec<File>,
}

impl Tally {
    /// Takes one outcome.
    pub fn add(&mut self, outcome: Outcome) {
        let database = Database {
            name: outcome.name.clone(),
            verdict: outcome.verdict,
            exit_code: outcome.exit_code,
            message: outcome.message.clone(),
            group: 0,
            schema: None,
            plan: None,
            bytes: outcome.bytes,
            rows_lost: outcome.rows_lost,
            elapsed_ms: outcome.elapsed_ms,
        };
        let mut line = Line { database, group: outcome.id.clone(), schema: None, plan: None };
        let mut group = Group {
            id: outcome.id,
            verdict: outcome.verdict,
            exit_code: outcome.exit_code,
            databases: 1,
            first: outcome.name,
            message: outcome.message,
            code: outcome.code,
            help: outcome.help,
            nothing_pending: false,
            findings: outcome.findings,
            rows_lost: None,
            report: None,
        };
        if let Some(rehearsed) = outcome.rehearsed {
            let Rehearsed { schema, plan, migrations, nothing_pending, report } = *rehearsed;
            (line.schema, line.plan) = (Some(schema.id.clone()), Some(plan.id.clone()));
            self.add_schema(schema);
            self.add_plan(plan);
            self.add_migrations(migrations);
            group.nothing_pending = nothing_pending;
            group.report = Some(Box::new(report));
        }
        self.add_group(group);
        self.lines.push(line);
    }

    /// Takes the outcomes of a part.
    pub fn add_part(&mut self, part: Fleet) {
        for database in part.databases {
            let group = part.groups.get(database.group).map(|group| group.id.clone()).unwrap_or_default();
            let schema = database.schema.and_then(|place| part.schemas.get(place)).map(|schema| schema.id.clone());
            let plan = database.plan.and_then(|place| part.plans.get(place)).map(|plan| plan.id.clone());
            self.lines.push(Line { database, group, schema, plan });
        }
        part.groups.into_iter().for_each(|group| self.add_group(group));
        part.schemas.into_iter().for_each(|schema| self.add_schema(schema));
        part.plans.into_iter().for_each(|plan| self.add_plan(plan));
        self.add_migrations(part.inputs.migrations);
    }

    fn add_group(&mut self, mut group: Group) {
        if let Some(known) = self.groups.get_mut(&group.id) {
            for (known, finding) in known.findings.iter_mut().zip(&mut group.findings) {
                let rows = known.rows.zip(finding.rows).map(|(one, other)| one.and(other));
                (known.rows, finding.rows) = (rows, rows);
            }
            group.databases += known.databases;
            if known.first < group.first {
                known.databases = group.databases;
            } else {
                *known = group;
            }
        } else {
            self.groups.insert(group.id.clone(), group);
        }
        self.forget_reports();
    }

    fn forget_reports(&mut self) {
        let mut with: Vec<&mut Group> = self.groups.values_mut().filter(|group| group.report.is_some()).collect();
        if with.len() > REPORTS {
            with.sort_by(|one, other| rank(one).cmp(&rank(other)));
            with[REPORTS..].iter_mut().for_each(|group| group.report = None);
        }
    }

    fn add_schema(&mut self, mut schema: SchemaCluster) {
        (schema.missing, schema.extra) = (Vec::new(), Vec::new());
        if let Some(known) = self.schemas.get_mut(&schema.id) {
            known.databases += schema.databases;
            if schema.first < known.first {
                known.first = schema.first;
                // They are the same, unless they were forgotten: then this may be the time to know them again.
                known.objects = schema.objects;
            }
        } else {
            self.schemas.insert(schema.id.clone(), schema);
        }
        let mut with: Vec<&mut SchemaCluster> =
            self.schemas.values_mut().filter(|schema| schema.objects.is_some()).collect();
        if with.len() > SCHEMAS {
            with.sort_by(|one, other| one.first.cmp(&other.first));
            with[SCHEMAS..].iter_mut().for_each(|schema| schema.objects = None);
        }
    }

    fn add_plan(&mut self, plan: PlanCluster) {
        if let Some(known) = self.plans.get_mut(&plan.id) {
            known.databases += plan.databases;
            known.first = plan.first.min(std::mem::take(&mut known.first));
        } else {
            self.plans.insert(plan.id.clone(), plan);
        }
    }

    fn add_migrations(&mut self, files: Vec<File>) {
        if self.migrations != files {
            self.migrations.extend(files);
            self.migrations.sort();
            self.migrations.dedup();
        }
    }

    /// Orders everything, and says what differs from what is most common.
    pub fn count(mut self) -> Counted {
        self.lines.sort_by(|one, other| one.database.name.cmp(&other.database.name));
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        groups.sort_by(|one, other| rank(one).cmp(&rank(other)));
        let mut schemas: Vec<SchemaCluster> = self.schemas.into_values().collect();
        schemas
            .sort_by(|one, other| (Reverse(one.databases), &one.first).cmp(&(Reverse(other.databases), &other.first)));
        compare(&mut schemas);
        let mut plans: Vec<PlanCluster> = self.plans.into_values().collect();
        plans.sort_by(|one, other| (Reverse(one.databases), &one.first).cmp(&(Reverse(other.databases), &other.first)));
        let places = |ids: Vec<&String>| -> BTreeMap<String, usize> {
            ids.into_iter().enumerate().map(|(place, id)| (id.clone(), place)).collect()
        };
        let in_groups = places(groups.iter().map(|group| &group.id).collect());
        let in_schemas = places(schemas.iter().map(|schema| &schema.id).collect());
        let in_plans = places(plans.iter().map(|plan| &plan.id).collect());
        let databases: Vec<Database> = self
            .lines
            .into_iter()
            .map(|line| Database {
                group: in_groups.get(&line.group).copied().unwrap_or_default(),
                schema: line.schema.and_then(|id| in_schemas.get(&id).copied()),
                plan: line.plan.and_then(|id| in_plans.get(&id).copied()),
                ..line.database
            })
            .collect();
        for group in &mut groups {
            group.rows_lost = None;
        }
        let mut unknown = vec![false; groups.len()];
        for database in &databases {
            let Some(group) = groups.get_mut(database.group) else { continue };
            match database.rows_lost.map(Spread::of) {
                Some(rows) => group.rows_lost = Some(group.rows_lost.map_or(rows, |others| others.and(rows))),
                None => unknown[database.group] = true,
            }
        }
        for (group, _) in groups.iter_mut().zip(unknown).filter(|(_, unknown)| *unknown) {
            group.rows_lost = None;
        }
        Counted {
            verdict: groups.first().map_or(Verdict::Passed, |group| group.verdict),
            totals: totals(&databases),
            slowest: first(databases.iter(), |one, other| other.elapsed_ms.total_cmp(&one.elapsed_ms)),
            biggest: first(databases.iter().filter(|one| one.bytes.is_some()), |one, other| {
                other.bytes.cmp(&one.bytes)
            }),
            groups,
            schemas,
            plans,
            databases,
            migrations: self.migrations,
        }
    }
}

/// The gravest first, then by name.
fn rank(group: &Group) -> (Reverse<Verdict>, &str, &str) {
    (Reverse(group.verdict), &group.first, &group.id)
}

fn compare(schemas: &mut [SchemaCluster]) {
    let Some((norm, others)) = schemas.split_first_mut() else { return };
    let Some(norm) = norm.objects.as_ref() else { return };
    for other in others {
        if let Some(objects) = &other.objects {
            (other.missing, other.extra) = schema::differences(norm, objects);
        }
    }
}

fn totals(databases: &[Database]) -> Totals {
    let of = |verdict: Verdict| databases.iter().filter(|database| database.verdict == verdict).count() as u64;
    Totals {
        databases: databases.len() as u64,
        passed: of(Verdict::Passed),
        findings: of(Verdict::Findings),
        failed: of(Verdict::Failed),
        errors: of(Verdict::Error),
        bytes: databases.iter().filter_map(|database| database.bytes).fold(0, u64::saturating_add),
        rows_lost: databases.iter().try_fold(0, |sum: u64, database| Some(sum.saturating_add(database.rows_lost?))),
    }
}

/// The names of the first few in this order.
fn first<'a>(
    databases: impl Iterator<Item = &'a Database>,
    order: impl Fn(&Database, &Database) -> std::cmp::Ordering,
) -> Vec<String> {
    let mut sorted: Vec<&Database> = databases.collect();
    sorted.sort_by(|one, other| order(one, other));
    sorted.into_iter().take(EXTREMES).map(|database| database.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64_with_seed;

    use super::*;
    use crate::report::assemble;
    use crate::report::document::Document;
    use crate::report::fleet::{Inputs, Selection};

    /// More groups and schemas than are kept whole.
    const GROUPS: u64 = 3 * REPORTS as u64;
    const CLUSTERS: u64 = SCHEMAS as u64 + 50;
    const DATABASES: u64 = 3_000;

    fn report() -> Document {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/reports/nothing_pending.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn outcome(number: u64, report: &Document) -> Outcome {
        let random = |seed: u64| xxh3_64_with_seed(&number.to_le_bytes(), seed);
        let (group, schema) = (random(1) % GROUPS, random(2) % CLUSTERS);
        let verdict = [Verdict::Passed, Verdict::Findings, Verdict::Failed][usize::try_from(group % 3).unwrap()];
        let name = format!("{:016x}", random(3));
        let schema = SchemaCluster {
            id: format!("schema {schema}"),
            databases: 1,
            first: name.clone(),
            objects: Some(vec![format!("table t{schema}")]),
            missing: Vec::new(),
            extra: Vec::new(),
        };
        let plan = PlanCluster {
            id: format!("plan {}", group % 5),
            databases: 1,
            first: name.clone(),
            tool: "sql".to_owned(),
            driver: "sqlite".to_owned(),
            applied: group % 5,
            pending: Vec::new(),
            skipped: 0,
            edited: 0,
            missing: 0,
        };
        let mut report = report.clone();
        report.snapshot.path.clone_from(&name);
        let rehearsed = Rehearsed { schema, plan, migrations: Vec::new(), nothing_pending: true, report };
        Outcome {
            verdict,
            exit_code: 0,
            id: format!("group {group}"),
            message: format!("as {name} has it"),
            code: None,
            help: Vec::new(),
            findings: Vec::new(),
            bytes: Some(number),
            rows_lost: (!number.is_multiple_of(1000)).then_some(number),
            elapsed_ms: 1.0,
            rehearsed: Some(Box::new(rehearsed)),
            name,
        }
    }

    fn fleet(counted: Counted) -> Fleet {
        Fleet {
            schema_version: 1,
            rehearse: assemble::tool(),
            verdict: counted.verdict,
            exit_code: 0,
            fail_on: None,
            selection: Selection {
                given: String::new(),
                kind: String::new(),
                databases: DATABASES,
                checksum: String::new(),
                left_aside: 0,
                duplicates: 0,
            },
            shard: None,
            inputs: Inputs { options: String::new(), migrations: counted.migrations },
            totals: counted.totals,
            elapsed_ms: 0.0,
            groups: counted.groups,
            schemas: counted.schemas,
            plans: counted.plans,
            slowest: counted.slowest,
            biggest: counted.biggest,
            databases: counted.databases,
            decisions: Vec::new(),
        }
    }

    #[test]
    fn it_does_not_matter_in_which_order_and_in_which_parts_outcomes_come() {
        let report = report();
        let told = |counted: Counted| serde_json::to_value(fleet(counted)).unwrap();
        let mut whole = Tally::default();
        (0..DATABASES).for_each(|number| whole.add(outcome(number, &report)));
        let whole = whole.count();
        let with_report = whole.groups.iter().filter(|group| group.report.is_some()).count();
        let with_objects = whole.schemas.iter().filter(|schema| schema.objects.is_some()).count();
        assert_eq!((whole.groups.len() as u64, with_report), (GROUPS, REPORTS));
        assert_eq!((whole.schemas.len() as u64, with_objects), (CLUSTERS, SCHEMAS));
        for (place, group) in whole.groups.iter().enumerate() {
            assert_eq!(group.report.is_some(), place < REPORTS, "those of the first");
            assert!(group.report.as_ref().is_none_or(|report| report.snapshot.path == group.first));
            assert_eq!(group.message, format!("as {} has it", group.first));
        }
        let whole = told(whole);
        let mut backwards = Tally::default();
        (0..DATABASES).rev().for_each(|number| backwards.add(outcome(number, &report)));
        assert!(told(backwards.count()) == whole, "backwards");
        let mut merged = Tally::default();
        for part in [3, 0, 6, 1, 5, 2, 4] {
            let mut tally = Tally::default();
            (0..DATABASES).filter(|number| number % 7 == part).for_each(|number| tally.add(outcome(number, &report)));
            merged.add_part(fleet(tally.count()));
        }
        assert!(told(merged.count()) == whole, "in parts");
    }
}
