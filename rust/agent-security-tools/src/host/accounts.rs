//! Reads passwd(5), shadow(5) and group(5): colon-separated fields, one entry a line.

use super::Host;
use super::root::Unreadable;

/// The entries of a colon-separated file, without blank lines, comments and NIS markers.
/// `None` if there is no such file.
pub fn entries(host: &Host, path: &str) -> Result<Option<Vec<Vec<String>>>, Unreadable> {
    Ok(host.root.read(path)?.map(|text| {
        text.split('\n')
            .filter(|line| !line.is_empty() && !line.starts_with(['#', '+', '-']))
            .map(|line| line.split(':').map(String::from).collect())
            .collect()
    }))
}

/// The name of a group, if the host knows one by this id.
pub fn group_name(host: &Host, gid: u32) -> Result<Option<String>, Unreadable> {
    let wanted = gid.to_string();
    let groups = entries(host, "/etc/group")?.unwrap_or_default();
    Ok(groups.into_iter().find_map(|fields| {
        (fields.get(2) == Some(&wanted)).then(|| fields.first().cloned().unwrap_or_default())
    }))
}
