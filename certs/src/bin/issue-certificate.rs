//! Issues a certificate authority and a certificate under it into a folder, with the code that the webhook uses: for
//! trials of servers and clients on one machine.

use std::{env, error::Error, fs, path::PathBuf, process::ExitCode, time::SystemTime};

use certs::{
    CertificateBundle, Lifetimes,
    secret::{AUTHORITY_CERTIFICATE, SERVING_CERTIFICATE, SERVING_KEY},
};

const USAGE: &str = "Usage: issue-certificate DIR NAME...

Writes ca.crt, tls.crt and tls.key for the DNS names or IP addresses.";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(folder), names) = (arguments.next(), arguments.collect::<Vec<_>>()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if names.is_empty() {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    match issue(&PathBuf::from(folder), &names) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The authority's key is not written: nothing further can be issued under it.
fn issue(folder: &PathBuf, names: &[String]) -> Result<(), Box<dyn Error>> {
    let bundle = CertificateBundle::generate(names, Lifetimes::default(), SystemTime::now())?;
    fs::create_dir_all(folder)?;
    for (name, content) in [
        (AUTHORITY_CERTIFICATE, &bundle.authorities_pem),
        (SERVING_CERTIFICATE, &bundle.serving.certificate_pem),
        (SERVING_KEY, &bundle.serving.key_pem),
    ] {
        fs::write(folder.join(name), content)?;
    }
    Ok(())
}
