//! Where a cluster keeps its files, and the description of a running one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// The file that marks a folder as a cluster's: nothing else is ever emptied.
const DESCRIPTION: &str = "cluster.json";

/// The folder of one cluster.
#[derive(Clone, Debug)]
pub struct Layout {
    folder: PathBuf,
}

/// What a running cluster is made of; written when it is ready.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Description {
    /// Folder with kubectl, helm and the control plane's programs.
    pub programs: PathBuf,
    /// The kubectl plugin.
    pub plugin: PathBuf,
    /// The admission webhook and controller.
    pub webhook: PathBuf,
    /// The ports in use.
    pub ports: Ports,
    /// Template repositories by folder name.
    pub templates: BTreeMap<String, String>,
}

/// The loopback ports of one cluster.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Ports {
    /// etcd, for the API server.
    pub etcd: u16,
    /// etcd, for its peers: it has none but insists.
    pub etcd_peer: u16,
    /// kube-apiserver.
    pub api_server: u16,
    /// The git server.
    pub git: u16,
    /// Admission over TLS.
    pub webhook: u16,
    /// The webhook's plain port for probes and metrics.
    pub webhook_status: u16,
}

impl Layout {
    /// The cluster in `folder`, or in the default folder.
    pub fn new(folder: Option<PathBuf>) -> Result<Self> {
        let folder = folder.unwrap_or_else(|| std::env::temp_dir().join("module-cluster"));
        let folder =
            std::path::absolute(&folder).with_context(|| format!("{} is not a usable folder", folder.display()))?;
        Ok(Self { folder })
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path below the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The kubeconfig for people and tests.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    /// Makes an empty folder, throwing away what an earlier cluster left.
    pub fn prepare(&self) -> Result<()> {
        let folder = &self.folder;
        let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
        if !is_empty && !self.path(DESCRIPTION).exists() {
            bail!("{} holds files that no cluster wrote: name an empty or new folder with --dir", folder.display());
        }
        if !is_empty {
            fs::remove_dir_all(folder).with_context(|| format!("{} could not be emptied", folder.display()))?;
        }
        for name in ["credentials", "git", "logs", "processes"] {
            fs::create_dir_all(self.path(name))
                .with_context(|| format!("{} could not be made", self.path(name).display()))?;
        }
        // Written at once: whatever happens next, the folder is known as a cluster's.
        self.write_description(&Description::default())
    }

    /// Records what the cluster is made of.
    pub fn write_description(&self, description: &Description) -> Result<()> {
        self.write(DESCRIPTION, &serde_json::to_string_pretty(description)?)
    }

    /// Reads what the cluster is made of.
    pub fn description(&self) -> Result<Description> {
        let path = self.path(DESCRIPTION);
        let text = fs::read_to_string(&path).with_context(|| {
            format!("there is no cluster in {}: start one with `tests/cluster up`", self.folder.display())
        })?;
        serde_json::from_str(&text).with_context(|| format!("{} is not readable", path.display()))
    }

    /// Writes a file below the folder.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| format!("{} could not be written", path.display()))
    }
}

impl Ports {
    /// Picks ports that nothing listens on.
    ///
    /// They lie below the range from which the kernel takes the ports of outgoing connections, so
    /// that none is taken between this and the start of its server.
    pub fn choose() -> Result<Self> {
        const FIRST: u32 = 20_000;
        const COUNT: u32 = 12_000;
        // Two clusters that start at the same moment begin their search at different places.
        let start = std::process::id().wrapping_mul(2_654_435_761) % COUNT;
        let mut free = (0..COUNT)
            .map(|offset| (FIRST + (start + offset) % COUNT) as u16)
            .filter(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok());
        let mut next = || free.next().context("no port between 20000 and 32000 is free");
        Ok(Self {
            etcd: next()?,
            etcd_peer: next()?,
            api_server: next()?,
            git: next()?,
            webhook: next()?,
            webhook_status: next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_foreign_files_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("precious"), "data").unwrap();
        let layout = Layout::new(Some(folder.path().to_owned())).unwrap();
        assert!(layout.prepare().is_err());
        assert!(folder.path().join("precious").exists());
    }

    #[test]
    fn a_cluster_folder_is_emptied_and_described() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(Some(folder.path().join("cluster"))).unwrap();
        layout.prepare().unwrap();
        layout.write("logs/etcd.log", "old").unwrap();
        layout.prepare().unwrap();
        assert!(!layout.path("logs/etcd.log").exists());
        assert!(layout.description().unwrap().templates.is_empty());
    }
}
