//! The recorded hosts: the golden page, and what one broken file costs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use agent_performance_monitor::{Capacity, Monitor, Paths, Recording, Scrape, SelectionError};
use agent_testkit::{monitor_host, monitor_host_copy};

const NOW: u64 = 1_795_000_000_123_456;

fn recording(tree: &Path) -> Recording {
    let mut capacities = BTreeMap::new();
    for line in fs::read_to_string(tree.join("statvfs")).unwrap().lines() {
        if line.starts_with('#') {
            continue;
        }
        let words: Vec<&str> = line.splitn(7, ' ').collect();
        let number = |index: usize| words[index].parse::<u64>().unwrap();
        let capacity = Capacity {
            block_size: number(0),
            blocks: number(1),
            free: number(2),
            available: number(3),
            files: number(4),
            files_free: number(5),
        };
        capacities.insert(words[6].to_string(), capacity);
    }
    Recording {
        now_micros: NOW,
        capacities,
    }
}

fn monitor(tree: &Path) -> Monitor {
    let paths = Paths {
        procfs: tree.join("proc"),
        sysfs: tree.join("sys"),
        rootfs: tree.join("root"),
        textfile_directory: Some(tree.join("textfile")),
    };
    Monitor::recorded(paths, recording(tree))
}

fn scrape(tree: &Path) -> Scrape {
    monitor(tree).collect()
}

fn portable(scrape: &Scrape, tree: &Path) -> (String, Vec<String>) {
    let here = tree.display().to_string();
    let failures = scrape
        .failures
        .iter()
        .map(|one| format!("{}: {}", one.collector, one.reason).replace(&here, "/TREE"));
    let version = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
    let text = scrape.text.replace(&here, "/TREE");
    // The page names the release; the recording must not.
    let text = text.replacen(version, "version=\"VERSION\"", 1);
    (text, failures.collect())
}

/// Compares with `expected.prom`; `UPDATE_GOLDEN=1` writes it instead.
fn golden(host: &str) -> Vec<String> {
    let tree = monitor_host(host);
    let (text, failures) = portable(&scrape(&tree), &tree);
    let expected = tree.join("expected.prom");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&expected, &text).unwrap();
    }
    let wanted = fs::read_to_string(&expected).unwrap();
    for (index, (got, want)) in text.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(got, want, "line {} of {host}", index + 1);
    }
    assert_eq!(text, wanted);
    failures
}

#[test]
fn the_page_of_a_debian_host() {
    assert_eq!(
        golden("debian12"),
        [
            "filesystem: /mnt/gone: No such file or directory",
            "textfile: /TREE/textfile/broken.prom: line 1: expected a label name",
            "textfile: /TREE/textfile/steals.prom: node_load1 is the name of a metric of this agent",
        ]
    );
}

#[test]
fn the_page_of_a_host_with_cgroup_v2_and_little_else() {
    let failures = golden("cgroup2");
    let failed: Vec<&str> = failures
        .iter()
        .filter_map(|one| one.split(':').next())
        .collect();
    assert_eq!(
        failed,
        [
            "cpu",
            "diskstats",
            "filefd",
            "filesystem",
            "loadavg",
            "meminfo",
            "netdev",
            "stat",
            "uname",
            "vmstat"
        ]
    );
}

#[test]
fn a_page_twice_is_the_same_page() {
    let tree = monitor_host("debian12");
    let monitor = monitor(&tree);
    assert_eq!(monitor.collect(), monitor.collect());
}

/// One broken file: its collector fails with the file, the line and the cause; the rest stands.
#[test]
fn a_broken_file_costs_one_collector() {
    for (file, content, collector, reason) in [
        (
            "proc/stat",
            "cpu0 1 2 x 4\n",
            "cpu",
            "/TREE/proc/stat: line 1: expected a whole number, found \"x\"",
        ),
        (
            "proc/stat",
            "cpu0 1 2 3 4\nctxt\n",
            "stat",
            "/TREE/proc/stat: line 2: a number is missing",
        ),
        (
            "proc/meminfo",
            "MemTotal: 12 pounds\n",
            "meminfo",
            "/TREE/proc/meminfo: line 1: unknown unit \"pounds\"",
        ),
        (
            "proc/loadavg",
            "0.1 none 0.3\n",
            "loadavg",
            "/TREE/proc/loadavg: line 1: expected a number, found \"none\"",
        ),
        (
            "proc/vmstat",
            "pgfault -1\n",
            "vmstat",
            "/TREE/proc/vmstat: line 1: expected a whole number, found \"-1\"",
        ),
        (
            "proc/diskstats",
            "8 0 sda 1 2 3\n",
            "diskstats",
            "/TREE/proc/diskstats: line 1: a number is missing",
        ),
        (
            "proc/1/net/dev",
            "a\nb\neth0: 1 2\n",
            "netdev",
            "/TREE/proc/1/net/dev: line 3: a number is missing",
        ),
        (
            "proc/1/mountinfo",
            "27 1 254:0 / /\n",
            "filesystem",
            "/TREE/proc/1/mountinfo: line 1: expected the separator \" - \"",
        ),
        (
            "proc/pressure/io",
            "some total=x\n",
            "pressure",
            "/TREE/proc/pressure/io: line 1: expected total= with a whole number",
        ),
        (
            "proc/sys/fs/file-nr",
            "12\n",
            "filefd",
            "/TREE/proc/sys/fs/file-nr: line 1: a number is missing",
        ),
        (
            "proc/sys/net/netfilter/nf_conntrack_max",
            "",
            "conntrack",
            "/TREE/proc/sys/net/netfilter/nf_conntrack_max: line 1: expected a whole number, found \"\"",
        ),
    ] {
        let copy = monitor_host_copy("debian12").unwrap();
        fs::write(copy.path().join(file), content).unwrap();
        let (text, failures) = portable(&scrape(copy.path()), copy.path());
        assert!(
            failures.contains(&format!("{collector}: {reason}")),
            "{file}: {failures:?}"
        );
        let success = |name: &str, value: u8| {
            format!("\nnode_scrape_collector_success{{collector=\"{name}\"}} {value}\n")
        };
        assert!(text.contains(&success(collector, 0)), "{file}");
        assert!(text.contains(&success("uname", 1)), "{file}");
    }
}

#[test]
fn a_missing_file_costs_one_collector() {
    for (file, collector) in [
        ("proc/stat", "cpu"),
        ("proc/meminfo", "meminfo"),
        ("proc/sys/kernel/ostype", "uname"),
        ("proc/pressure/cpu", "pressure"),
        ("proc/sys/net/netfilter/nf_conntrack_count", "conntrack"),
    ] {
        let copy = monitor_host_copy("debian12").unwrap();
        fs::remove_file(copy.path().join(file)).unwrap();
        let text = scrape(copy.path()).text;
        let failed = format!("node_scrape_collector_success{{collector=\"{collector}\"}} 0");
        assert!(text.contains(&failed), "{file}");
        assert!(text.contains("node_time_seconds 1795000000.123456\n"));
    }
}

#[test]
fn the_hosts_own_interfaces_are_read_not_the_readers() {
    let tree = monitor_host("debian12");
    let text = scrape(&tree).text;
    assert!(text.contains("node_network_receive_bytes_total{device=\"eth0\"}"));
    assert!(!text.contains("veth"));
    let copy = monitor_host_copy("debian12").unwrap();
    fs::remove_file(copy.path().join("proc/1/net/dev")).unwrap();
    let text = scrape(copy.path()).text;
    assert!(text.contains("node_network_receive_bytes_total{device=\"lo\"} 7\n"));
}

#[test]
fn collectors_can_be_chosen() {
    let monitor = monitor(&monitor_host("debian12"));
    let names = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let page = monitor
        .collect_selected(&names(&["time", "loadavg"]), &[])
        .unwrap();
    assert!(page.text.contains("node_load1 ") && page.text.contains("node_time_seconds "));
    assert!(!page.text.contains("node_memory"));
    let page = monitor.collect_selected(&[], &names(&["uname"])).unwrap();
    assert!(!page.text.contains("node_uname") && page.text.contains("node_memory"));
    let error = monitor
        .collect_selected(&names(&["cpus"]), &[])
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("there is no collector \"cpus\"; the collectors are: conntrack, ")
    );
    let both = monitor.collect_selected(&names(&["cpu"]), &names(&["cpu"]));
    assert_eq!(both, Err(SelectionError::Both));
}

#[test]
fn this_machine_has_a_page() {
    let scrape = Monitor::new(Paths::default()).collect();
    for name in [
        "node_cpu_seconds_total",
        "node_memory_MemTotal_bytes",
        "node_filesystem_size_bytes",
        "node_network_receive_bytes_total",
        "node_uname_info",
        "node_boot_time_seconds",
    ] {
        assert!(scrape.text.contains(&format!("\n# TYPE {name} ")), "{name}");
    }
    let mut families: Vec<&str> = scrape
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|rest| rest.split(' ').next())
        .collect();
    let count = families.len();
    families.sort_unstable();
    families.dedup();
    assert_eq!(families.len(), count, "every family is one block");
}
