//! Packed charts: what they unpack to, and where.

use tar::{Builder, EntryType, Header};

use super::End::{Printed, Refused};
use super::input::{chart_yaml, gzip, numbered};
use super::{Bomb, End, Input, bomb};

const TEMPLATE: &[u8] = b"x: 1";

/// A tar file under construction: always a chart with a template first.
struct Archive(Builder<Vec<u8>>);

impl Archive {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn chart(name: &str) -> Self {
        Self::new().file("bomb/Chart.yaml", chart_yaml(name, "").as_bytes()).file("bomb/templates/bomb.yaml", TEMPLATE)
    }

    /// Adds a file whose path need not be a good one.
    fn file(self, path: &str, data: &[u8]) -> Self {
        self.entry(EntryType::Regular, path, "", data)
    }

    fn entry(mut self, kind: EntryType, path: &str, target: &str, data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        let written = &mut header.as_old_mut().name;
        let length = path.len().min(written.len());
        written[..length].copy_from_slice(&path.as_bytes()[..length]);
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_size(data.len() as u64);
        header.set_cksum();
        // Writing to memory does not fail; if it did, the chart would not end as it must.
        let _ = self.0.append(&header, data);
        self
    }

    /// Adds a file whose path does not fit into a header.
    fn long(self, path: &str, data: &[u8]) -> Self {
        self.entry(EntryType::GNULongName, "././@LongLink", "", path.as_bytes()).file("x", data)
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap_or_default()
    }

    fn packed(self) -> Vec<u8> {
        gzip(&self.bytes())
    }

    fn input(self) -> Input {
        Input::archive(self.packed())
    }
}

/// A header that announces a file of this size, which is all zeros and not written out here.
fn announced(size: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_size(size);
    let path = b"bomb/zeros";
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// Gzip members of this many MiB of zeros: some kilobytes.
fn zeros(mebibytes: usize) -> Vec<u8> {
    gzip(&vec![0; 1 << 20]).repeat(mebibytes)
}

/// An archive of a file that is all zeros.
fn zeros_in_file(mebibytes: u64) -> Vec<u8> {
    let mut start = Archive::chart("bomb").bytes();
    // Without the end of the archive.
    start.truncate(start.len() - 1024);
    [gzip(&start), gzip(&announced(mebibytes << 20)), zeros(mebibytes as usize), gzip(&[0; 1024])].concat()
}

/// A file at a path that leads elsewhere.
const fn path(name: &'static str, end: End, input: fn() -> Input) -> Bomb {
    bomb(name, "a path that leads elsewhere", end, input)
}

/// Something in an archive that is no file.
const fn special(name: &'static str, input: fn() -> Input) -> Bomb {
    bomb(name, "an entry that is no file", Printed("x: 1"), input)
}

const TOO_LARGE: End = Refused("decompressed chart is larger than the maximum size 104857600");

pub(super) const BOMBS: &[Bomb] = &[
    bomb("archive-zeros", "a file of gigabytes in kilobytes", TOO_LARGE, || Input::archive(zeros_in_file(4 << 10))),
    bomb("archive-zeros-fitting", "the largest file that fits", Printed("x: 1"), || Input::archive(zeros_in_file(99))),
    bomb("archive-zeros-no-tar", "gigabytes that are no archive", Refused("no files in chart archive"), || {
        Input::archive(zeros(4 << 10))
    }),
    bomb("archive-size-lie", "a file that announces exabytes", TOO_LARGE, || {
        Input::archive([gzip(&Archive::chart("bomb").bytes()[..2048]), gzip(&announced(1 << 60))].concat())
    }),
    bomb("archive-truncated", "an archive that ends early", Refused("unexpected EOF"), || {
        let packed = Archive::chart("bomb").packed();
        Input::archive(packed[..packed.len() / 2].to_vec())
    }),
    bomb("archive-no-gzip", "an archive that is none", Refused("gzip: invalid header"), || {
        Input::archive(vec![b'x'; 1 << 20])
    }),
    bomb("archive-empty", "an archive of nothing", Refused("no files in chart archive"), || {
        Input::archive(Archive::new().packed())
    }),
    bomb("archive-gzip-headers", "very many empty members", Refused("no files in chart archive"), || {
        Input::archive(gzip(b"").repeat(200_000))
    }),
    bomb("archive-entries", "very many files", Refused("chart archive has more than 50000 entries"), || {
        (0..60_000).fold(Archive::chart("bomb"), |archive, index| archive.file(&format!("bomb/{index}"), b"")).input()
    }),
    bomb("archive-directories", "very many folders", Refused("chart archive has more than 50000 entries"), || {
        (0..60_000)
            .fold(Archive::chart("bomb"), |archive, index| {
                archive.entry(EntryType::Directory, &format!("bomb/{index}/"), "", b"")
            })
            .input()
    }),
    bomb("archive-long-paths", "paths of megabytes", Refused("header field too long"), || {
        let path = format!("bomb/{}", "p/".repeat(1 << 20));
        (0..4).fold(Archive::chart("bomb"), |archive, _| archive.long(&format!("{path}x"), b"")).input()
    }),
    bomb("archive-long-template-path", "a long path told for each document", Refused("header field too long"), || {
        let path = format!("bomb/templates/{}.yaml", "p".repeat(1 << 20));
        Archive::chart("bomb").long(&path, "x: 1\n---\n".repeat(10_000).as_bytes()).input()
    }),
    bomb("archive-pax", "a header of megabytes", Refused("header field too long"), || {
        let record = format!("comment={}\n", "x".repeat(8 << 20));
        let record = format!("{} {record}", record.len() + 9);
        Archive::chart("bomb").entry(EntryType::XHeader, "pax", "", record.as_bytes()).file("bomb/x", b"").input()
    }),
    bomb("archive-deep", "folders in folders", Printed("x: 1"), || {
        Archive::chart("bomb").long(&format!("bomb/{}x", "d/".repeat(2_000)), b"").input()
    }),
    bomb("archive-no-chart", "no Chart.yaml", Refused("no Chart.yaml found"), || {
        Archive::new().file("bomb/values.yaml", b"").input()
    }),
    bomb("archive-duplicates", "files that are there twice", Printed("x: 2"), || {
        Archive::chart("bomb").file("bomb/Chart.yaml", b"name: other").file("bomb/templates/bomb.yaml", b"x: 2").input()
    }),
    path("archive-parent", Refused("chart illegally references parent directory"), || {
        Archive::chart("bomb").file("bomb/../../etc/passwd", b"x").input()
    }),
    path("archive-parent-deep", Refused("chart illegally references parent directory"), || {
        Archive::chart("bomb").file("bomb/a/b/../../../x", b"x").input()
    }),
    path("archive-absolute", Printed("x: 1"), || Archive::chart("bomb").file("/etc/passwd", b"x").input()),
    path("archive-absolute-inside", Refused("chart illegally contains absolute paths"), || {
        Archive::chart("bomb").file("bomb//etc/passwd", b"x").input()
    }),
    path("archive-drive", Refused("chart contains illegally named files"), || {
        Archive::chart("bomb").file("bomb/c:/windows", b"x").input()
    }),
    path("archive-backslash", Refused("chart illegally references parent directory"), || {
        Archive::chart("bomb").file("bomb\\..\\x", b"x").input()
    }),
    path("archive-outside", Refused("chart illegally contains content outside the base directory"), || {
        Archive::chart("bomb").file("stray", b"x").input()
    }),
    path("archive-nul", Printed("x: 1"), || Archive::chart("bomb").file("bomb/a\0../../x", b"x").input()),
    special("archive-symlink", || {
        Archive::chart("bomb").entry(EntryType::Symlink, "bomb/files/link", "/etc/passwd", b"").input()
    }),
    special("archive-symlink-values", || {
        Archive::chart("bomb").entry(EntryType::Symlink, "bomb/values.yaml", "/dev/zero", b"").input()
    }),
    special("archive-hardlink", || {
        Archive::chart("bomb").entry(EntryType::Link, "bomb/files/link", "/etc/passwd", b"").input()
    }),
    special("archive-device", || Archive::chart("bomb").entry(EntryType::Char, "bomb/files/zero", "", b"").input()),
    special("archive-fifo", || Archive::chart("bomb").entry(EntryType::Fifo, "bomb/files/fifo", "", b"").input()),
    bomb("archive-in-archive", "a packed sub-chart of gigabytes", TOO_LARGE, || {
        Input::template("x: 1").file("charts/bomb.tgz", zeros_in_file(4 << 10))
    }),
    bomb("archive-in-archives", "packed sub-charts that are large together", TOO_LARGE, || {
        let packed = zeros_in_file(20);
        (0..10).fold(Input::chart(), |input, index| input.file(format!("charts/{index}.tgz"), packed.clone()))
    }),
    bomb(
        "archive-nested",
        "packed charts in packed charts",
        Refused("sub-charts are nested deeper than 16 levels"),
        || {
            let inner = Archive::chart("bomb").packed();
            let nested =
                (0..40).fold(inner, |inner, _| Archive::chart("bomb").file("bomb/charts/bomb.tgz", &inner).packed());
            Input::archive(nested)
        },
    ),
    bomb("archive-sub-charts", "very many packed sub-charts", Refused("more than 10000 sub-charts"), || {
        let packed = Archive::chart("bomb").packed();
        let input = Input::chart();
        (0..30_000).fold(input, |input, index| input.file(format!("charts/{index}.tgz"), packed.clone()))
    }),
    bomb(
        "archive-many-documents",
        "a template of very many documents",
        Refused("the chart prints more than 20000 documents"),
        || {
            let documents = numbered(30_000, |index| format!("---\nx: {index}\n"));
            Archive::chart("bomb").file("bomb/templates/a.yaml", documents.as_bytes()).input()
        },
    ),
];
