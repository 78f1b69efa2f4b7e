//! The report as a page: one file that needs no network and no script, for people who decide on a deploy.
//!
//! The templates beside this file hold the words and the markup; what they show is worked out here, from the document and the catalogue of
//! rules. Every text goes through [`safe::write`], which makes it visible and escapes it: a template cannot forget to.

mod columns;
mod course;
mod findings;
mod fleet;
mod grid;
mod overview;
mod rows;
mod run;
mod safe;
mod schema;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::document::Document;

/// The whole look of the page.
const STYLE: &str = include_str!("html/style.css");

/// The page and its parts.
const TEMPLATES: [(&str, &str); 9] = [
    ("page.html", include_str!("html/page.html")),
    ("parts.html", include_str!("html/parts.html")),
    ("findings.html", include_str!("html/findings.html")),
    ("rows.html", include_str!("html/rows.html")),
    ("course.html", include_str!("html/course.html")),
    ("columns.html", include_str!("html/columns.html")),
    ("schema.html", include_str!("html/schema.html")),
    ("run.html", include_str!("html/run.html")),
    ("fleet.html", include_str!("html/fleet.html")),
];

/// What the page shows, in the order in which it is read.
#[derive(Serialize)]
struct Page {
    style: Value,
    policy: String,
    overview: overview::Overview,
    findings: findings::Findings,
    rows: rows::Picture,
    course: course::Course,
    columns: columns::Columns,
    schema: schema::Schema,
    run: run::Run,
}

/// The report as a page. It loads nothing, and nothing that the document says acts in it.
#[must_use]
pub fn render(document: &Document) -> String {
    let page = Page {
        style: Value::from_safe_string(STYLE.to_owned()),
        policy: policy(),
        overview: overview::overview(document),
        findings: findings::findings(document),
        rows: rows::picture(&document.tables),
        course: course::course(document),
        columns: columns::columns(&document.tables),
        schema: schema::schema(&document.schema),
        run: run::run(document),
    };
    filled("page.html", &page)
}

/// The report on many databases as a page, in the same way.
#[must_use]
pub fn render_fleet(fleet: &super::fleet::Fleet) -> String {
    filled("fleet.html", &fleet::page(fleet))
}

/// The templates are ours and the tests render every branch of them: it fails only where one of those is wrong.
fn filled(template: &str, page: &impl Serialize) -> String {
    fill(template, page).unwrap_or_else(|error| {
        format!(
            "<!doctype html>\n<title>rehearse</title>\n<p>this page could not be made: {}\n",
            safe::escaped(&error.to_string())
        )
    })
}

fn fill(template: &str, page: &impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    environment.set_syntax(syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_formatter(safe::write);
    environment.add_filter("prose", safe::prose);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    environment.get_template(template)?.render(Value::from(Serde(page)))
}

/// What a browser may load and apply: our style, by its hash, and pictures that are in the page itself.
fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'")
}
