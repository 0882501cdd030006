//! Serves a folder of git repositories read-only over smart HTTP, through `git http-backend`.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use certs::{ReloadableCertificate, ServingCertificate};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// A fetch request lists wanted and known commits: far less than this.
const LARGEST_REQUEST: usize = 8 << 20;

/// Settings that git reads from the environment, on top of the user's own: any commit may be
/// fetched by its id, as the large git hosts allow, and repositories may belong to another user.
const SETTINGS: [(&str, &str); 3] =
    [("uploadpack.allowAnySHA1InWant", "true"), ("safe.directory", "*"), ("http.receivepack", "false")];

/// Serves every repository below `repositories` at `/<folder name>` until the process ends.
pub async fn serve(repositories: PathBuf, address: SocketAddr) -> Result<()> {
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("the git server cannot listen on {address}"))?;
    axum::serve(listener, router(repositories)).await.context("the git server stopped")
}

/// The same over TLS, for whoever shows these credentials, `USER:PASSWORD`.
pub async fn serve_privately(
    repositories: PathBuf,
    listener: TcpListener,
    certificate: &ServingCertificate,
    credentials: Arc<RwLock<String>>,
) -> Result<()> {
    listener.set_nonblocking(true)?;
    let served = Arc::new(ReloadableCertificate::new(certificate)?);
    let tls = RustlsConfig::from_config(Arc::new(served.server_config(None)?));
    let router = router(repositories).layer(from_fn_with_state(credentials, ask_for_credentials));
    axum_server::from_tcp_rustls(listener, tls)?
        .serve(router.into_make_service())
        .await
        .context("the private git server stopped")
}

fn router(repositories: PathBuf) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(repositories))
}

async fn ask_for_credentials(credentials: State<Arc<RwLock<String>>>, request: Request, next: Next) -> Response {
    let wanted = BASE64_STANDARD.encode(credentials.read().unwrap_or_else(PoisonError::into_inner).as_str());
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if shown.and_then(|value| value.strip_prefix("Basic ")) == Some(wanted.as_str()) {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=git")]).into_response()
    }
}

async fn answer(State(repositories): State<Arc<PathBuf>>, request: Request) -> Response {
    match backend(&repositories, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")).into_response(),
    }
}

async fn backend(repositories: &PathBuf, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let header = |name: header::HeaderName| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let body = to_bytes(body, LARGEST_REQUEST).await.context("the request could not be read")?;

    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", repositories)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header(header::CONTENT_TYPE))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header(header::CONTENT_ENCODING))
        .env("GIT_PROTOCOL", header(header::HeaderName::from_static("git-protocol")))
        .env("GIT_CONFIG_COUNT", SETTINGS.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    for (index, (key, value)) in SETTINGS.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{index}"), key);
        command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
    }
    let mut child = command.spawn().context("git http-backend could not be started")?;
    if let Some(mut stdin) = child.stdin.take() {
        // Written beside the reading of the answer, so that neither side waits for the other.
        tokio::spawn(async move { drop(stdin.write_all(&body).await) });
    }
    let output = child.wait_with_output().await.context("git http-backend could not be waited for")?;
    translate(&output.stdout.into())
}

/// Turns a CGI answer (header lines, an empty line, the body) into an HTTP response.
fn translate(output: &Bytes) -> Result<Response> {
    let Some(end) = output.windows(4).position(|window| window == b"\r\n\r\n") else {
        bail!("git http-backend gave no header");
    };
    let mut response = Response::new(Body::from(output.slice(end + 4..)));
    let head = std::str::from_utf8(&output[..end]).context("the header of git http-backend is not text")?;
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').context("git http-backend gave a header without a colon")?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().unwrap_or_default();
            *response.status_mut() = code.parse().context("git http-backend gave an unreadable status")?;
        } else {
            let name: header::HeaderName = name.parse()?;
            response.headers_mut().insert(name, HeaderValue::from_str(value)?);
        }
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cgi_answer_becomes_a_response() {
        let answer = translate(&Bytes::from_static(
            b"Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nno such repository",
        ))
        .unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain");
        let body = to_bytes(answer.into_body(), 100).await.unwrap();
        assert_eq!(&body[..], b"no such repository");
    }

    #[test]
    fn an_answer_without_a_header_is_an_error() {
        assert!(translate(&Bytes::from_static(b"nonsense")).is_err());
    }
}
