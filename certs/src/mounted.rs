//! A certificate that somebody else renews, such as cert-manager, in a Secret that is mounted as a folder.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use crate::{
    CertificateError, ReloadableCertificate, ServingCertificate,
    bundle::Validity,
    secret::{SERVING_CERTIFICATE, SERVING_KEY},
};

/// How often the folder is looked at. The kubelet replaces the folder's content by renaming a symbolic link, which a watch
/// of the files does not see. Two files are read in microseconds; whoever issues certificates replaces them days before
/// they end, so that this is for people who wait for a correction.
const INTERVAL: Duration = Duration::from_secs(2);

/// The link that the kubelet renames, so that all files change at once.
const CURRENT: &str = "..data";

/// Certificate and key of a folder, read again whenever they change.
pub struct MountedCertificate {
    folder: PathBuf,
    served: Arc<ReloadableCertificate>,
    /// What was read last, whether or not it could be used.
    last: Mutex<Reading>,
    not_after: Mutex<Option<SystemTime>>,
}

type Reading = Result<ServingCertificate, String>;

impl MountedCertificate {
    /// Reads `tls.crt` and `tls.key` of a folder. The server can start with [`MountedCertificate::served`] at once.
    pub fn open(folder: PathBuf) -> Result<Self, CertificateError> {
        let certificate = read(&folder)?;
        let served = Arc::new(ReloadableCertificate::new(&certificate)?);
        let not_after = Mutex::new(end(&certificate));
        Ok(Self { folder, served, last: Mutex::new(Ok(certificate)), not_after })
    }

    /// What the server serves, now and later.
    pub fn served(&self) -> Arc<ReloadableCertificate> {
        Arc::clone(&self.served)
    }

    /// End of life of the served certificate.
    pub fn not_after(&self) -> Option<SystemTime> {
        *self.not_after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs until cancelled by dropping the future. What cannot be used is told of once, and the certificate before stays.
    pub async fn run(&self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            self.look();
        }
    }

    fn look(&self) {
        let reading = read(&self.folder).map_err(|error| error.to_string());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if reading == *last {
            return;
        }
        match &reading {
            Ok(certificate) => match self.served.replace(certificate) {
                Ok(()) => {
                    *self.not_after.lock().unwrap_or_else(PoisonError::into_inner) = end(certificate);
                    tracing::info!("serving a new certificate");
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the mounted certificate cannot be used; the one before is served on"
                    );
                }
            },
            Err(error) => tracing::error!(error, "the mounted certificate cannot be read; the one before is served on"),
        }
        *last = reading;
    }
}

impl std::fmt::Debug for MountedCertificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MountedCertificate").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Reads both files of one state: the link is followed once.
fn read(folder: &Path) -> Result<ServingCertificate, CertificateError> {
    let current = folder.join(CURRENT);
    let current = match current.canonicalize() {
        Ok(target) => target,
        // No mounted Secret, but a folder that somebody has filled.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => folder.to_owned(),
        Err(error) => return Err(CertificateError::File { path: current, source: error }),
    };
    let text = |name: &str| {
        let path = current.join(name);
        std::fs::read_to_string(&path).map_err(|source| CertificateError::File { path, source })
    };
    Ok(ServingCertificate { certificate_pem: text(SERVING_CERTIFICATE)?, key_pem: text(SERVING_KEY)? })
}

fn end(certificate: &ServingCertificate) -> Option<SystemTime> {
    Validity::of(&certificate.certificate_pem, SERVING_CERTIFICATE).ok().map(|validity| validity.not_after)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::{CertificateBundle, Lifetimes};

    /// Writes files as the kubelet does: into a folder of their own, to which a link is renamed.
    fn project(folder: &Path, state: &str, certificate: &str, key: &str) {
        let content = folder.join(state);
        std::fs::create_dir(&content).unwrap();
        std::fs::write(content.join(SERVING_CERTIFICATE), certificate).unwrap();
        std::fs::write(content.join(SERVING_KEY), key).unwrap();
        let before = folder.join(CURRENT).read_link();
        symlink(state, folder.join("..data_tmp")).unwrap();
        std::fs::rename(folder.join("..data_tmp"), folder.join(CURRENT)).unwrap();
        match before {
            Ok(before) => std::fs::remove_dir_all(folder.join(before)).unwrap(),
            Err(_) => {
                for name in [SERVING_CERTIFICATE, SERVING_KEY] {
                    symlink(Path::new(CURRENT).join(name), folder.join(name)).unwrap();
                }
            }
        }
    }

    fn bundles<const N: usize>() -> [CertificateBundle; N] {
        let names = ["localhost".to_owned()];
        let first = CertificateBundle::generate(&names, Lifetimes::default(), SystemTime::now()).unwrap();
        std::array::from_fn(|_| first.renew_leaf(&names, Lifetimes::default(), SystemTime::now()).unwrap())
    }

    #[test]
    fn each_state_of_a_mounted_secret_is_taken_over_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(matches!(MountedCertificate::open(folder.to_owned()), Err(CertificateError::File { .. })));
        let [first, second, third, fourth] = bundles();
        let serving = |bundle: &CertificateBundle| bundle.serving.clone();
        project(folder, "..1", &serving(&first).certificate_pem, &serving(&first).key_pem);
        let mounted = MountedCertificate::open(folder.to_owned()).unwrap();
        assert!(mounted.served.serves(&first.serving));
        for (state, bundle) in [("..2", &second), ("..3", &third)] {
            project(folder, state, &bundle.serving.certificate_pem, &bundle.serving.key_pem);
            mounted.look();
            assert!(mounted.served.serves(&bundle.serving), "{state}");
        }
        for (state, certificate, key) in [
            ("..4", serving(&fourth).certificate_pem, "nonsense".to_owned()),
            ("..5", serving(&fourth).certificate_pem, serving(&first).key_pem),
            ("..6", String::new(), serving(&fourth).key_pem),
        ] {
            project(folder, state, &certificate, &key);
            mounted.look();
            assert!(mounted.served.serves(&third.serving), "{state}");
        }
        std::fs::remove_file(folder.join("..6").join(SERVING_KEY)).unwrap();
        mounted.look();
        assert!(mounted.served.serves(&third.serving));
        project(folder, "..7", &fourth.serving.certificate_pem, &fourth.serving.key_pem);
        mounted.look();
        assert!(mounted.served.serves(&fourth.serving));
    }

    #[test]
    fn a_plain_folder_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = bundles();
        let write = |bundle: &CertificateBundle| {
            std::fs::write(folder.path().join(SERVING_CERTIFICATE), &bundle.serving.certificate_pem).unwrap();
            std::fs::write(folder.path().join(SERVING_KEY), &bundle.serving.key_pem).unwrap();
        };
        write(&first);
        let mounted = MountedCertificate::open(folder.path().to_owned()).unwrap();
        write(&second);
        mounted.look();
        assert!(mounted.served.serves(&second.serving));
    }
}
