//! `ModulePolicy`: mistakes that its definition cannot find are told when it is written, not when the first write of a
//! Module fails because of them.

use futures::future::join_all;
use module::policy::{self, ModulePolicy, ModulePolicySpec, ServiceAccountReference};
use module::verdict::{Cause, Refusal};

use super::{
    Admission,
    review::{Acceptance, Operation, Request},
};

/// Service accounts that are looked up for one policy.
const LOOKED_UP: usize = 32;

/// Whether a request is about a policy in the version that is understood.
pub(crate) fn is_policy(request: &Request) -> bool {
    request.kind.group == policy::GROUP
        && request.kind.version == policy::VERSION
        && request.kind.kind == "ModulePolicy"
        && request.resource.resource == "modulepolicies"
}

/// Checks a policy. Writers that do not exist are warnings: they may be created later.
pub(crate) async fn validate(admission: &Admission, request: &Request) -> Result<Acceptance, Refusal> {
    let (Operation::Create | Operation::Update, Some(new)) = (request.operation, &request.object) else {
        return Ok(Acceptance::default());
    };
    let policy: ModulePolicy = serde_json::from_value(new.clone())
        .map_err(|error| Refusal::invalid("spec", format!("not a ModulePolicy: {error}")))?;
    let mistakes = policy::validate(&policy.spec);
    if !mistakes.is_empty() {
        let cause = |mistake: policy::PolicyError| Cause { field: mistake.field, message: mistake.message };
        return Err(Refusal::because(mistakes.into_iter().map(cause).collect()));
    }
    let mut warnings = policy::doubts(&policy.spec);
    warnings.extend(missing_writers(admission, &policy.spec).await);
    Ok(Acceptance { warnings, ..Acceptance::default() })
}

async fn missing_writers(admission: &Admission, spec: &ModulePolicySpec) -> Vec<String> {
    let subjects = spec.git_ops_writers.iter().chain(&spec.break_glass);
    let mut accounts: Vec<&ServiceAccountReference> =
        subjects.filter_map(|subject| subject.service_account.as_ref()).collect();
    accounts.sort();
    accounts.dedup();
    accounts.truncate(LOOKED_UP);
    let lookups = accounts.iter().map(|account| admission.access.exists(account));
    let found = join_all(lookups).await;
    let warning = |(account, exists): (&&ServiceAccountReference, Result<bool, kube::Error>)| match exists {
        Ok(true) => None,
        Ok(false) => Some(format!("the service account {}/{} does not exist", account.namespace, account.name)),
        Err(_) => Some(format!("the service account {}/{} could not be looked up", account.namespace, account.name)),
    };
    accounts.iter().zip(found).filter_map(warning).collect()
}
