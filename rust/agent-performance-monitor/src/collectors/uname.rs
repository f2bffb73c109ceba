//! `node_uname_info`, from `/proc/sys/kernel`: the files say what `uname(2)` says.

use super::Simple;
use crate::CollectError;
use crate::host::Host;
use crate::page::{Kind, Page, Value};

pub(super) fn collector() -> Simple {
    Simple {
        name: "uname",
        collect,
    }
}

fn collect(host: &Host, page: &mut Page) -> Result<(), CollectError> {
    let read = |name: &str| -> Result<String, CollectError> {
        let text = host.proc(&format!("sys/kernel/{name}"))?;
        Ok(text.content.trim_end_matches('\n').to_string())
    };
    // Kernels before 6.1 have no `arch`; this program runs on the machine that it describes.
    let machine = read("arch").unwrap_or_else(|_| std::env::consts::ARCH.to_string());
    let [domain, node, release, system, version] =
        ["domainname", "hostname", "osrelease", "ostype", "version"].map(read);
    page.family(
        "node_uname_info",
        "Labeled system information as provided by the uname system call.",
        Kind::Gauge,
    );
    page.sample(
        &[
            ("domainname", &domain?),
            ("machine", &machine),
            ("nodename", &node?),
            ("release", &release?),
            ("sysname", &system?),
            ("version", &version?),
        ],
        Value::Int(1),
    );
    Ok(())
}
