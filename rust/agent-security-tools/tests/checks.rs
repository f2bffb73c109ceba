//! Every check against its fixtures: a case where it passes, a case where it fails, and more.

mod fixture;

use std::collections::BTreeMap;

use agent_security_tools::checks;
use fixture::Tree;

#[test]
fn every_check_answers_its_fixtures() {
    let (mut run, mut skipped) = (0, 0);
    for check in checks::ALL {
        let file = fixture::folder().join(format!("checks/{}.json", check.id));
        let fixture = fixture::load(&file);
        assert_eq!(fixture["check"], check.id, "{}", file.display());
        let mut statuses = Vec::new();
        for case in fixture["cases"].as_array().expect("cases") {
            let Some(tree) = Tree::build(case["files"].as_object().expect("files")) else {
                skipped += 1;
                continue;
            };
            let found: BTreeMap<String, &str> = (check.run)(&tree.host())
                .into_iter()
                .map(|outcome| (outcome.subject, outcome.status.word()))
                .collect();
            let want: BTreeMap<String, &str> = case["expect"]
                .as_object()
                .expect("expect")
                .iter()
                .map(|(subject, status)| (subject.clone(), status.as_str().expect("a status")))
                .collect();
            assert_eq!(found, want, "{}: {}", check.id, case["name"]);
            statuses.extend(want.into_values());
            run += 1;
        }
        if skipped == 0 {
            for status in ["pass", "fail"] {
                assert!(
                    statuses.contains(&status),
                    "{} has no case that is {status}",
                    check.id
                );
            }
        }
    }
    println!("{run} cases run, {skipped} skipped (they need root to set owners)");
    assert!(run > 60, "only {run} cases ran");
}

#[test]
fn the_catalog_is_well_formed() {
    assert!(checks::ALL.len() >= 25);
    let mut last = "";
    for check in checks::ALL {
        assert!(
            check.id > last,
            "{} is out of order or twice there",
            check.id
        );
        last = check.id;
        for text in [check.title, check.fix, check.reference] {
            assert!(!text.trim().is_empty(), "{}: an empty text", check.id);
        }
    }
}

/// `cargo fmt` does not see modules that `build.rs` names.
#[test]
fn the_checks_are_formatted() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/checks");
    let files = std::fs::read_dir(folder).expect("the checks");
    let files: Vec<_> = files
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    let done = std::process::Command::new("rustfmt")
        .args(["--check", "--edition", "2024"])
        .args(files.iter().filter(|path| !path.ends_with("mod.rs")))
        .output();
    match done {
        Ok(done) => assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stdout)
        ),
        Err(error) => println!("skipped: no rustfmt ({error})"),
    }
}
