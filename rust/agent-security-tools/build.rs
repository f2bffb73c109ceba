//! Registers the audit checks: every file in `src/checks/` becomes a module whose `CHECK` joins the catalog.
//!
//! Adding a check is therefore adding one file; nothing else lists them.
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let crate_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let checks = crate_dir.join("src/checks");
    println!("cargo:rerun-if-changed={}", checks.display());
    let mut names: Vec<String> = fs::read_dir(&checks)?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            entry
                .file_name()
                .to_str()?
                .strip_suffix(".rs")
                .map(String::from)
        })
        .filter(|name| name != "mod")
        .collect();
    names.sort();
    let mut code = String::new();
    for name in &names {
        let file = checks.join(format!("{name}.rs"));
        writeln!(
            code,
            "#[path = {:?}]\npub mod {name};",
            file.display().to_string()
        )
        .expect("writing to a string");
    }
    writeln!(
        code,
        "/// Every check, by id.\npub const ALL: &[&crate::audit::Check] = &["
    )
    .expect("writing to a string");
    for name in &names {
        writeln!(code, "    &{name}::CHECK,").expect("writing to a string");
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    fs::write(out.join("checks.rs"), code)
}
