//! The collectors: one file each. To add one, add its name to the list below.

use crate::CollectError;
use crate::host::Host;
use crate::page::Page;

/// Writes one subject's metrics.
pub(crate) trait Collector: std::fmt::Debug + Send {
    /// Its name in `node_scrape_collector_success` and in `collect[]`.
    fn name(&self) -> &'static str;

    /// Writes its families. On an error everything that it wrote is taken back.
    fn collect(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError>;
}

macro_rules! collectors {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        /// Every collector, in the order of the page.
        pub(crate) fn all() -> Vec<Box<dyn Collector>> {
            vec![$(Box::new($module::collector())),*]
        }
    };
}

collectors![
    conntrack, containers, cpu, diskstats, filefd, filesystem, loadavg, meminfo, netdev, pressure,
    stat, time, uname, vmstat,
    // Last: it must not repeat a name that another collector has written.
    textfile,
];

/// Makes a collector without a state out of a function.
#[derive(Debug)]
pub(crate) struct Simple {
    pub name: &'static str,
    pub collect: fn(&Host, &mut Page) -> Result<(), CollectError>,
}

impl Collector for Simple {
    fn name(&self) -> &'static str {
        self.name
    }

    fn collect(&mut self, host: &Host, page: &mut Page) -> Result<(), CollectError> {
        (self.collect)(host, page)
    }
}
