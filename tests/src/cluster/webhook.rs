//! The ports of the webhook, reached as an API server and as a scraper reach them.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Certificate, ClientBuilder};

use super::{Cluster, NAME, http_get};
use crate::command;

impl Cluster {
    /// The certificate authority in the webhook's configuration, as PEM.
    pub fn webhook_authority(&self) -> Result<Vec<u8>> {
        let mut get = self.kubectl("admin");
        let path = "jsonpath={.webhooks[0].clientConfig.caBundle}";
        get.args(["get", "validatingwebhookconfiguration", NAME, "-o", path]);
        Ok(BASE64_STANDARD.decode(command::run(&mut get)?.success()?)?)
    }

    /// The sum of a metric of the webhook, as [`sum_of_metric`] makes it.
    pub fn webhook_metric(&self, name: &str, label: &str) -> Result<u64> {
        let (_, text) = http_get(self.description.ports.webhook_status, "/metrics")
            .context("the webhook's metrics cannot be read")?;
        sum_of_metric(&text, name, label)
    }
}

/// The sum of a metric over all of its series whose labels hold this text; 0 if there is none.
pub fn sum_of_metric(text: &str, name: &str, label: &str) -> Result<u64> {
    let series = text.lines().filter_map(|line| line.strip_prefix(name));
    let series = series.filter(|rest| rest.starts_with(['{', ' ']) && rest.contains(label));
    let values = series.map(|rest| rest.rsplit(' ').next().unwrap_or_default().parse::<f64>());
    let sum =
        values.sum::<std::result::Result<f64, _>>().with_context(|| format!("a series of {name} is no number"))?;
    Ok(sum as u64)
}

/// A client of a server on this machine that is known by another name, and trusted by this authority alone, as PEM.
pub fn server_client(host: &str, port: u16, authority: &[u8]) -> Result<ClientBuilder> {
    // The first installation in this process cannot fail, a second one changes nothing.
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(reqwest::Client::builder()
        .tls_certs_only(Certificate::from_pem_bundle(authority)?)
        .resolve(host, SocketAddr::from(([127, 0, 0, 1], port)))
        .no_proxy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_summed_over_its_series_and_no_others() {
        let text = "# TYPE calls counter\ncalls_total{a=\"x\",b=\"y\"} 2\ncalls_total{a=\"z\"} 3.0\ncalls 9\ncalls_total_more 7\n";
        assert_eq!(sum_of_metric(text, "calls_total", "").unwrap(), 5);
        assert_eq!(sum_of_metric(text, "calls_total", "a=\"x\"").unwrap(), 2);
        assert_eq!(sum_of_metric(text, "calls", "").unwrap(), 9);
        assert_eq!(sum_of_metric(text, "none", "").unwrap(), 0);
        assert!(sum_of_metric("calls x\n", "calls", "").is_err());
    }
}
