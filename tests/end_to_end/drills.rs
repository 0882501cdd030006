//! The drills in a small size; `tests/drills` holds them in full.

use tests::drills::{self, Size};

use crate::environment::Environment;

#[test]
fn no_call_fails_while_certificates_change_and_replicas_restart() {
    let environment = Environment::start("drills");
    // As often as makes enough writes where everything is quick: a certificate is renewed within a second.
    let size = Size { leaves: 1, authorities: 1, swaps: 2, restarts: 2, rate: 40 };
    let report = drills::run(&environment.cluster, size).unwrap();
    println!("{report}");
    assert!(report.drills.iter().all(|drill| drill.writes.count() >= 50), "hardly anything was written:\n{report}");
    assert!(report.is_clean(), "\n{report}");
}
