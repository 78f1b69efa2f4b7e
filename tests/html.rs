//! The report as a page, read as a browser reads it. How it looks is looked at in `tests/browser`.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixture has failed")]

use std::collections::BTreeSet;

use base64::Engine as _;
use rehearse::findings::rule::{Level, LevelFrom};
use rehearse::report::document::{
    Alternative, Command, Document, Outcome, Sample, SampleValue, Samples, Table, WayBack,
};
use rehearse::report::html::render;
use rehearse::report::visible::visible;
use scraper::{ElementRef, Html, Selector};
use sha2::Digest as _;

const NAMES: [&str; 9] = [
    "cascade",
    "failed",
    "nothing_pending",
    "hostile_names",
    "many_findings",
    "matrix",
    "big_snapshot",
    "measured",
    "queries",
];

fn document(name: &str) -> Document {
    let path = format!("{}/tests/fixtures/reports/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn page(document: &Document) -> Html {
    Html::parse_document(&render(document))
}

fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of the whole page, on one line.
fn said(page: &Html) -> String {
    all(page, "body").into_iter().map(text).collect()
}

/// A document with everything in it that the fixtures lack.
fn rich() -> Document {
    let mut document = document("cascade");
    let execution = &mut document.execution;
    execution.command = Some(Command {
        line: "npm run migrate".to_owned(),
        exit_code: Some(0),
        signal: None,
        time_limit: None,
        elapsed_ms: 12.0,
        traced: true,
        output: vec!["<b>applied</b> 1 migration".to_owned()],
        output_dropped: 7,
    });
    execution.way_back =
        Some(WayBack { outcome: Outcome::Completed, steps: execution.steps.clone(), no_further_than: None });
    execution.alternatives.push(Alternative {
        driver: "libsql".to_owned(),
        outcome: Outcome::Failed,
        error: Some("no such function: <i>".to_owned()),
        rows_lost: 3,
        differs: [("posts".to_owned(), None)].into(),
    });
    let finding = &mut document.findings[0];
    finding.level_from = Some(LevelFrom { level: Level::Warning, by: "--level".to_owned() });
    finding.samples = Some(Samples {
        key: vec!["id".to_owned()],
        rows: vec![Sample {
            key: vec!["17".to_owned()],
            before: vec![SampleValue { column: "code".to_owned(), value: "'00123'".to_owned() }],
            after: vec![SampleValue { column: "code".to_owned(), value: "123".to_owned() }],
        }],
    });
    document.findings[1].waived = Some("allowed by rehearse.yaml: moved to <cold> storage".to_owned());
    "XX999".clone_into(&mut document.findings[2].code);
    document.not_compared = serde_json::from_str(r#"[{"table": "fts<index>", "why": "virtual table"}]"#).unwrap();
    document
}

#[test]
fn cascade_as_a_page() {
    let html = render(&document("cascade"));
    let body = html.split_once("</style>").unwrap().1;
    insta::assert_snapshot!("cascade_html", body);
}

#[test]
fn it_is_well_formed() {
    for document in NAMES.map(document).iter().chain([&rich()]) {
        let html = render(document);
        let page = Html::parse_document(&html);
        assert!(page.errors.is_empty(), "{:?}", page.errors);
        assert_eq!(all(&page, "h1").len(), 1);
        let mut level = 1;
        for heading in all(&page, "h1, h2, h3, h4, h5, h6") {
            let own = heading.value().name()[1..].parse::<usize>().unwrap();
            assert!(own <= level + 1, "h{own} follows h{level}: {}", text(heading));
            level = own;
        }
        let ids: Vec<&str> = all(&page, "[id]").iter().filter_map(|element| element.value().id()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        for link in all(&page, "a[href]") {
            let target = link.value().attr("href").unwrap().strip_prefix('#').unwrap();
            assert!(ids.contains(&target), "{target}");
        }
        for element in all(&page, "[aria-labelledby]") {
            assert!(ids.contains(&element.value().attr("aria-labelledby").unwrap()));
        }
    }
}

#[test]
fn it_loads_nothing_and_runs_nothing() {
    for document in NAMES.map(document).iter().chain([&rich()]) {
        let html = render(document);
        let page = Html::parse_document(&html);
        assert!(all(&page, "script, iframe, object, embed, form, input, base, audio, video, img").is_empty());
        for element in all(&page, "*") {
            for (name, value) in element.value().attrs() {
                assert!(!name.starts_with("on") && name != "style", "{name}={value}");
                let is_link = ["src", "href", "srcset", "action", "data", "poster", "xlink:href"].contains(&name);
                assert!(!is_link || value.starts_with('#') || value == "data:,", "{name}={value}");
            }
        }
        let style = all(&page, "style")[0].text().collect::<String>();
        assert!(!style.contains("@import") && !style.contains("url(h") && !style.contains("url(\""));
    }
}

#[test]
fn the_policy_allows_this_style_and_nothing_else() {
    let page = page(&document("cascade"));
    let style = all(&page, "style")[0].text().collect::<String>();
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(&style));
    let policy = all(&page, "meta[http-equiv=Content-Security-Policy]")[0].value().attr("content").unwrap();
    assert_eq!(
        policy,
        format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'")
    );
}

#[test]
fn the_parts_stand_in_the_order_in_which_they_are_read() {
    let parts =
        ["findings", "rows", "course", "columns", "schema", "run", "not-compared", "snapshot"].map(ToOwned::to_owned);
    for document in NAMES.map(document) {
        let page = page(&document);
        let sections = all(&page, "main > section");
        let ids: Vec<&str> = sections.iter().filter_map(|section| section.value().id()).collect();
        assert_eq!(ids, parts);
        let order: Vec<&str> = all(&page, "body > header, body > nav, body > main, body > footer")
            .iter()
            .map(|part| part.value().name())
            .collect();
        assert_eq!(order, ["header", "nav", "main", "footer"]);
    }
}

#[test]
fn every_picture_is_told_in_words() {
    for document in NAMES.map(document) {
        for picture in all(&page(&document), "svg") {
            let hidden = picture.value().attr("aria-hidden") == Some("true");
            let title = picture.select(&Selector::parse("svg > title").unwrap()).next().map(text);
            let told = picture.value().attr("role") == Some("img") && title.is_some_and(|title| title.len() > 10);
            assert!(hidden || told, "{}", picture.html());
        }
    }
    let page = page(&document("cascade"));
    let bars: Vec<String> = all(&page, "svg.bars > title").into_iter().map(text).collect();
    assert_eq!(
        bars,
        [
            "posts: rows before 100, after 0; 100 lost",
            "users (rebuilt): rows before 100, after 100; no row lost, gained or changed"
        ]
    );
}

/// What the page says of a text: made visible, without the backticks that it sets as code.
fn shown(text: &str) -> String {
    visible(text).replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_finding_is_told() {
    for document in NAMES.map(document).iter().chain([&rich()]) {
        let page = page(document);
        for (index, finding) in document.findings.iter().enumerate() {
            let found = all(&page, &format!("#finding-{}", index + 1));
            let told = found.iter().map(|found| text(*found)).collect::<String>().replace('`', "");
            for part in [Some(&finding.message), finding.waived.as_ref()].into_iter().flatten() {
                assert!(told.contains(&shown(part)), "{part:?} is missing in {told:?}");
            }
        }
        let whole = said(&page).replace('`', "");
        for finding in &document.findings {
            let parts = [finding.cause.as_ref(), finding.proof.as_ref(), finding.label.as_ref()];
            for part in parts.into_iter().flatten() {
                assert!(whole.contains(&shown(part)), "{part:?}");
            }
            for help in &finding.help {
                for line in help.lines() {
                    assert!(whole.contains(&shown(&line.replace('\t', " "))), "{line:?}");
                }
            }
        }
    }
}

#[test]
fn the_statement_is_marked_among_its_neighbours() {
    let page = page(&document("cascade"));
    let lines = |class: &str| -> Vec<String> {
        all(&page, &format!("#finding-1 .lines > .{class}")).into_iter().map(text).collect()
    };
    assert_eq!(lines("hit"), ["8DROP TABLE `users`;"]);
    assert_eq!(lines("near").len(), 4);
    assert_eq!(
        lines("near")[1],
        "7INSERT INTO `__new_users`(\"id\", \"email\") SELECT \"id\", \"email\" FROM `users`;"
    );
    let label = all(&page, "#finding-1 .label").into_iter().map(text).collect::<String>();
    assert!(label.starts_with("deleted every row of users"), "{label}");
    let rule = said(&page);
    assert!(rule.contains("rehearse explain LS102") && rule.contains("the child rows are gone"), "{rule}");
}

#[test]
fn everything_of_a_run_is_told() {
    let said = said(&page(&rich()));
    for told in [
        "npm run migrate, exit code 0",
        "<b>applied</b> 1 migration",
        "… 7 lines before",
        "to the beginning, 6 statements",
        "no such function: <i>",
        "posts: gone",
        "warning by itself, error by --level",
        "moved to <cold> storage",
        "This version of rehearse does not know this rule",
        "fts<index>",
        "code '00123'",
        "Rows are shown because --samples asked for them.",
        "c0ffee0000000000000000000000000000000000000000000000000000000000",
        "the only SQLite driver among the dependencies of package.json",
    ] {
        assert!(said.contains(told), "{told} is missing in {said}");
    }
}

#[test]
fn a_failed_run_says_where_it_ended() {
    let mut document = document("failed");
    document.plan.pending[0].statements = 5;
    let page = page(&document);
    let failed = all(&page, "#course .steps > li.failed").into_iter().map(text).collect::<String>();
    assert!(failed.contains("failed here: NOT NULL constraint failed: __new_orders.paid_at"), "{failed}");
    assert_eq!(
        all(&page, "#course .never").into_iter().map(text).collect::<String>(),
        "2 statements behind it did not run"
    );
    let said = said(&page);
    assert!(said.contains("0008_drop_carts") && said.contains("did not run"), "{said}");
    let links = all(&page, "#course li.failed a");
    assert_eq!(links.iter().filter_map(|link| link.value().attr("href")).collect::<Vec<_>>(), ["#finding-1"]);
}

#[test]
fn a_long_migration_is_folded_and_complete() {
    let mut document = document("cascade");
    let step = document.execution.steps[3].clone();
    document.execution.steps = (1..=500)
        .map(|line| {
            let mut step = step.clone();
            (step.line, step.statement) = (line, line as usize);
            step
        })
        .collect();
    let page = page(&document);
    assert_eq!(all(&page, "#course .steps > li").len(), 500);
    let fold = all(&page, "#course details.more > summary").into_iter().map(text).collect::<String>();
    assert_eq!(fold, "460 more statements");
    let blocks = all(&page, "#course .chart rect").len();
    assert!(blocks < 600, "what is too short to be seen shares a block: {blocks}");
}

/// The names of the elements of the page, in order, below and beside each other.
fn shape(page: &Html) -> Vec<&str> {
    all(page, "*").iter().map(|element| element.value().name()).collect()
}

#[test]
fn hostile_names_make_no_element() {
    const HOSTILE: [&str; 4] = [
        "</title></style><script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "{{ 7 * 7 }}{% raw %}<!--",
        "]]></svg><svg onload=alert(1)>&lt;b&gt;",
    ];
    let with = |name: &str| {
        let text = serde_json::to_string(&rich()).unwrap();
        let quoted = serde_json::to_string(name).unwrap();
        let name = &quoted[1..quoted.len() - 1];
        let document: Document = serde_json::from_str(
            &text
                .replace("posts", name)
                .replace("\"prod.db\"", &format!("\"{name}\""))
                .replace("better-sqlite3", name)
                .replace("0001_email_required", name)
                .replace("user_id", name)
                .replace("one BEGIN", name),
        )
        .unwrap();
        document
    };
    let harmless = page(&with("harmless"));
    for name in HOSTILE {
        let hostile = page(&with(name));
        assert_eq!(shape(&hostile), shape(&harmless), "{name}");
        assert!(said(&hostile).contains(name), "{name}");
        assert!(hostile.errors.is_empty(), "{:?}", hostile.errors);
    }
    let html = render(&document("hostile_names"));
    let acts = |sign: char| sign.is_control() && sign != '\n' || "\u{202e}\u{2069}\u{200b}".contains(sign);
    assert!(!html.contains(acts));
}

#[test]
fn what_was_not_counted_is_said_to_be_so() {
    let page = page(&document("big_snapshot"));
    let names: Vec<String> = all(&page, "#rows .names li").into_iter().map(text).collect();
    assert_eq!(names, ["countries 9 rows", "customers not counted", "readings not counted"]);
    let mut unmatched = document("cascade");
    unmatched.tables[1].rows.lost = None;
    unmatched.tables[1].rows.gained = None;
    unmatched.tables[1].rows.changed = None;
    let said = said(&Html::parse_document(&render(&unmatched)));
    assert!(said.contains("lost: not known") && said.contains("rows lost; 1 table not matched"), "{said}");
}

#[test]
fn a_long_series_is_folded_and_complete() {
    let mut document = document("many_findings");
    let one = document.findings[0].clone();
    let table: Table = document.tables[0].clone();
    document.findings = (0..10_000)
        .map(|index| {
            let mut finding = one.clone();
            finding.message = format!("finding number {index} of `t`");
            finding
        })
        .collect();
    document.tables = (0..200).map(|index| Table { name: format!("table_{index}"), ..table.clone() }).collect();
    let html = render(&document);
    let page = Html::parse_document(&html);
    assert_eq!(all(&page, "article.finding").len(), 5);
    assert_eq!(all(&page, "details > .brief > li").len(), 9_995);
    assert_eq!(
        all(&page, "#findings details.more > summary").into_iter().map(text).collect::<String>(),
        "9,995 more findings of VL202 new-nulls"
    );
    assert!(html.contains("finding number 9999 of"));
    assert_eq!(all(&page, "#rows .tables > li").len(), 200);
    assert!(html.len() < 6_000_000, "{} bytes", html.len());
    assert!(shape(&page).len() < 100_000, "{} elements", shape(&page).len());
}
