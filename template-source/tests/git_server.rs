//! `git http-backend` behind the smallest web server that does, with and without TLS, and servers that misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Runs git quietly and independently of the machine's configuration.
pub(crate) fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .args(["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A web server on loopback that lives as long as the test process.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Serves the repositories below `root`.
    pub(crate) fn start(root: &Path) -> Self {
        let root = root.to_owned();
        Self::with(move |stream| answer(stream, &|request| backend(request, &root)))
    }

    /// Gives every request over TLS the answer of `respond`. Returns the certificate too, as PEM, which is its own
    /// authority.
    pub(crate) fn secure(respond: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> (Self, String) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![own.cert.der().clone()], key).unwrap());
        let mut server = Self::with(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            answer(StreamOwned::new(connection, stream), &respond);
        });
        server.url = server.url.replace("http://", "https://");
        (server, own.cert.pem())
    }

    /// Hands every connection to `handle`.
    pub(crate) fn with(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let handle = Arc::new(handle);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::Relaxed);
                let handle = Arc::clone(&handle);
                thread::spawn(move || handle(stream));
            }
        });
        Self { url, requests }
    }

    /// Connections accepted so far.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// A repository with one chart in `charts/demo`, and more at its other references. Returns its folder and the commits
/// of `main` and of the tag `v1`.
pub(crate) fn repository(root: &Path) -> (PathBuf, String, String) {
    let work = root.join("work");
    std::fs::create_dir_all(work.join("charts/demo/templates")).unwrap();
    git(root, &["init", "--quiet", "work"]);
    let write = |name: &str, text: &str| std::fs::write(work.join(name), text).unwrap();
    write("charts/demo/Chart.yaml", "apiVersion: v2\nname: demo\nversion: 0.1.0\n");
    write("charts/demo/values.yaml", "replicas: 1\n");
    write("charts/demo/templates/configmap.yaml", "kind: ConfigMap\n");
    write("shared.tpl", "shared\n");
    write("README.md", "no chart\n");
    std::os::unix::fs::symlink("../../../shared.tpl", work.join("charts/demo/templates/_shared.tpl")).unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "--quiet", "-m", "one"]);
    let first = git(&work, &["rev-parse", "HEAD"]);
    git(&work, &["tag", "-a", "v1", "-m", "release"]);
    write("charts/demo/values.yaml", "replicas: 2\n");
    git(&work, &["commit", "--quiet", "-am", "two"]);
    let second = git(&work, &["rev-parse", "HEAD"]);
    // A branch that is named like the tag must not shadow it.
    git(&work, &["branch", "v1"]);
    git(&work, &["checkout", "--quiet", "-b", "outside"]);
    std::os::unix::fs::symlink("/etc/passwd", work.join("charts/demo/passwd")).unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "--quiet", "-m", "three"]);
    git(&work, &["checkout", "--quiet", "main"]);
    git(root, &["clone", "--quiet", "--bare", "work", "templates.git"]);
    (root.join("templates.git"), second, first)
}

/// A request, read whole.
pub(crate) struct Request {
    method: String,
    /// Path and query.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        // Whoever does not trust the certificate breaks off.
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split_whitespace();
        let method = words.next()?.to_owned();
        let target = words.next()?.to_owned();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self { method, target, headers, body: Vec::new() };
        if let Some(length) = request.header("content-length") {
            request.body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut request.body).unwrap();
        } else if request.header("transfer-encoding") == Some("chunked") {
            request.body = read_chunks(reader);
        }
        Some(request)
    }

    /// The value of a header, whose name is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Answers one request.
fn answer(mut stream: impl Read + Write, respond: &dyn Fn(&Request) -> Vec<u8>) {
    if let Some(request) = Request::read(&mut BufReader::new(&mut stream)) {
        let _ = stream.write_all(&respond(&request));
        let _ = stream.flush();
    }
}

/// An answer of a status and one header, without a body.
pub(crate) fn status(status: &str, header: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

/// An answer with a body.
pub(crate) fn body(content: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len());
    [head.as_bytes(), content].concat()
}

/// The answer of git for the repositories below `root`.
pub(crate) fn backend(request: &Request, root: &Path) -> Vec<u8> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let header = |name| request.header(name).unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("HTTP_GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&request.body).unwrap();
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    child.wait().unwrap();
    let split = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(0);
    let head = String::from_utf8_lossy(&output[..split]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let body = &output[split + 4..];
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn read_chunks(reader: &mut impl BufRead) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&chunk[..size]);
    }
}
