//! What template functions take and give, as far as a generator has to know to write calls that mostly succeed.

use std::sync::LazyLock;

/// The kind of an expression's value, or more narrowly what a function expects of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Everything.
    Any,
    /// The kind that the surrounding expression wants.
    Wanted,
    /// One scalar kind, the same for all such holes of a call.
    Same,
    /// A value that holds no reference into other values, so that storing it makes no cycle.
    Fresh,
    /// A map that is an expression of its own, so that changing it makes no cycle.
    Own,
    /// A text.
    Text,
    /// An integer of any width.
    Int,
    /// A small number, for lengths and indexes.
    Small,
    /// A float.
    Float,
    /// Integer or float.
    Number,
    /// A number that is not zero.
    Divisor,
    /// A truth value.
    Bool,
    /// A list.
    List,
    /// A list of texts.
    Texts,
    /// A map.
    Map,
    /// A name of a member.
    Key,
    /// `time.Time`; nothing else is tried, for functions that take the current time otherwise.
    Time,
    /// A duration such as `1h30m`.
    Duration,
    /// A Go regular expression.
    Regex,
    /// A replacement of a regular expression.
    Replacement,
    /// A version.
    Version,
    /// A version constraint.
    Constraint,
    /// A layout of a date.
    Layout,
    /// A date as text.
    Date,
    /// A time zone.
    Zone,
    /// A YAML text.
    Yaml,
    /// A JSON text.
    Json,
    /// A TOML text.
    Toml,
    /// A base64 text.
    Base64,
    /// A URL.
    Url,
    /// A file path.
    Path,
    /// What lists are split and joined at.
    Separator,
    /// The name of a Go kind.
    ReflectName,
    /// The name of a Go type.
    TypeText,
    /// The text of a template and its dot, for `tpl`.
    Templated,
    /// The name of a defined template and its dot.
    Included,
    /// A whole `printf` call without its name: format and arguments.
    Printf,
    /// What `tpl` is given as dot.
    Dot,
}

impl Kind {
    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "any" => Self::Any,
            "wanted" => Self::Wanted,
            "same" => Self::Same,
            "fresh" => Self::Fresh,
            "own" => Self::Own,
            "text" => Self::Text,
            "int" => Self::Int,
            "small" => Self::Small,
            "float" => Self::Float,
            "number" => Self::Number,
            "divisor" => Self::Divisor,
            "bool" => Self::Bool,
            "list" => Self::List,
            "texts" => Self::Texts,
            "map" => Self::Map,
            "key" => Self::Key,
            "time" => Self::Time,
            "duration" => Self::Duration,
            "regex" => Self::Regex,
            "replacement" => Self::Replacement,
            "version" => Self::Version,
            "constraint" => Self::Constraint,
            "layout" => Self::Layout,
            "date" => Self::Date,
            "zone" => Self::Zone,
            "yaml" => Self::Yaml,
            "json" => Self::Json,
            "toml" => Self::Toml,
            "base64" => Self::Base64,
            "url" => Self::Url,
            "path" => Self::Path,
            "separator" => Self::Separator,
            "kind" => Self::ReflectName,
            "type" => Self::TypeText,
            "templated" => Self::Templated,
            "included" => Self::Included,
            "printf" => Self::Printf,
            "dot" => Self::Dot,
            _ => return None,
        })
    }

    /// Whether a value of this kind does where another one is wanted.
    pub(super) fn serves(self, wanted: Self) -> bool {
        match wanted {
            _ if self == wanted || self == Self::Wanted => true,
            Self::Any => true,
            Self::Text => matches!(
                self,
                Self::Yaml
                    | Self::Json
                    | Self::Toml
                    | Self::Base64
                    | Self::Key
                    | Self::Version
                    | Self::Url
                    | Self::Path
            ),
            Self::Number => matches!(self, Self::Int | Self::Small | Self::Float),
            Self::Int => self == Self::Small,
            Self::List => self == Self::Texts,
            _ => false,
        }
    }
}

/// A way to call a function.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// How often, beside the others.
    pub(super) weight: usize,
    /// Written only where something wrong is wanted: most such calls fail.
    pub(super) risky: bool,
    /// Whether Helm 3 has no such function.
    pub(super) new_in_v4: bool,
    /// Literal text and holes in turn: the text before each hole, then the hole's kind.
    pub(super) holes: Vec<(&'static str, Kind)>,
    /// The text after the last hole.
    pub(super) rest: &'static str,
    /// What it gives.
    pub(super) result: Kind,
}

/// All calls, with how often each is used: after how often public charts do, but none never.
pub(super) static CALLS: LazyLock<Vec<Call>> = LazyLock::new(|| CATALOGUE.lines().filter_map(parse).collect());

fn parse(line: &'static str) -> Option<Call> {
    let (weight, line) = line.trim().split_once(' ')?;
    let (pattern, result) = line.rsplit_once(" -> ")?;
    let risky = weight.starts_with('!');
    let weight = weight.trim_start_matches('!').parse().ok()?;
    let mut holes = Vec::new();
    let mut rest = pattern;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)))
    {
        holes.push((before, Kind::of_name(name)?));
        rest = after;
    }
    let result = Kind::of_name(result)?;
    let mut call = Call { weight, risky, new_in_v4: false, holes, rest, result };
    let old = renderer::functions::table(renderer::Profile::V3);
    let new = renderer::functions::table(renderer::Profile::V4);
    let is_new = |word| new.get(word).is_some() && old.get(word).is_none();
    let new_in_v4 = call.words().any(is_new);
    call.new_in_v4 = new_in_v4;
    Some(call)
}

impl Call {
    /// All names in it.
    fn words(&self) -> impl Iterator<Item = &'static str> {
        let texts = self.holes.iter().map(|(text, _)| *text).chain([self.rest]);
        texts.flat_map(|text| text.split(|character: char| !character.is_alphanumeric() && character != '_'))
    }
}

/// Functions whose results are random by nature, or that take too long to be called in masses. They have tests of
/// their own.
#[cfg(test)]
const LEFT_OUT: &[&str] = &[
    "ago",
    "bcrypt",
    "buildCustomCert",
    "call",
    "derivePassword",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "hello",
    "htpasswd",
];

/// A weight, a call with holes, and the kind of its result. What begins with `!` mostly fails. The order of `keys` and
/// `values` is random, so they are sorted; so are results of `shuffle` and its like counted only.
const CATALOGUE: &str = r#"
60 include {included} -> text
40 (include {included}) | fromYaml -> map
20 include {included} | trim -> text
30 tpl {templated} -> text
!4 tpl {text} {dot} -> text
60 quote {any} -> text
6 quote {any} {any} -> text
8 squote {any} -> text
40 nindent {small} {text} -> text
20 indent {small} {text} -> text
40 default {wanted} {wanted} -> wanted
8 default {wanted} -> wanted
20 ternary {wanted} {wanted} {bool} -> wanted
14 coalesce {any} {any} {any} -> any
8 coalesce {wanted} {wanted} | default {wanted} -> wanted
14 empty {any} -> bool
12 not {any} -> bool
12 and {wanted} {wanted} -> wanted
12 or {wanted} {wanted} -> wanted
6 and {bool} {bool} {bool} -> bool
6 or {bool} {bool} {bool} -> bool
4 all {any} {any} -> bool
4 any {any} {any} -> bool
30 eq {same} {same} -> bool
6 eq {same} {same} {same} -> bool
16 ne {same} {same} -> bool
3 lt {text} {text} -> bool
3 lt {int} {int} -> bool
2 lt {float} {float} -> bool
3 le {text} {text} -> bool
3 le {int} {int} -> bool
2 le {float} {float} -> bool
3 gt {text} {text} -> bool
3 gt {int} {int} -> bool
2 gt {float} {float} -> bool
3 ge {text} {text} -> bool
3 ge {int} {int} -> bool
2 ge {float} {float} -> bool
!8 eq {any} {any} -> bool
!8 lt {any} {any} -> bool
4 deepEqual {any} {any} -> bool
30 printf {printf} -> text
12 print {any} -> text
6 print {any} {any} {any} -> text
3 println {any} {text} -> text
8 cat {any} {any} -> text
40 toYaml {any} -> yaml
8 mustToYaml {any} -> yaml
12 toYamlPretty {any} -> yaml
20 fromYaml {yaml} -> map
12 fromYamlArray {yaml} -> list
20 toJson {any} -> json
8 mustToJson {any} -> json
8 toPrettyJson {any} -> json
4 mustToPrettyJson {any} -> json
8 toRawJson {any} -> json
4 mustToRawJson {any} -> json
12 fromJson {json} -> map
8 fromJsonArray {json} -> list
2 mustFromJson (toJson {any}) -> any
!4 mustFromJson {json} -> any
10 toToml {map} -> toml
2 mustToToml (dict {key} {text} {key} {int}) -> text
!4 mustToToml {map} -> text
10 fromToml {toml} -> map
30 dict {key} {any} {key} {any} -> map
10 dict {key} {fresh} -> map
1 dict {key} -> map
2 dict -> map
20 list {any} {any} {any} -> list
6 list {text} {text} -> texts
3 list -> list
3 tuple {any} {any} -> list
12 get {map} {key} -> any
12 index {map} {key} -> any
8 index (prepend {list} {any}) 0 -> any
!8 index {list} 0 -> any
!8 index {list} {small} -> any
2 index (dict "a" {map}) "a" {key} -> any
!8 index {map} {key} {key} -> any
!8 index {any} {any} -> any
12 hasKey {map} {key} -> bool
8 set {own} {key} {fresh} -> map
4 set {map} {key} {fresh} -> map
4 unset {map} {key} -> map
6 pick {map} {key} {key} -> map
10 omit {map} {key} -> map
8 keys {map} | sortAlpha -> texts
3 keys {map} {map} | uniq | sortAlpha -> texts
6 values {map} | toStrings | sortAlpha -> texts
4 values (dict {key} {any}) -> list
5 pluck {key} {map} {map} -> list
8 dig {key} {any} {map} -> any
6 dig "a" {key} {any} (dict "a" {map}) -> any
!8 dig {key} {key} {any} {map} -> any
8 merge {own} {map} -> map
8 merge {own} (deepCopy {map}) {map} -> map
8 mergeOverwrite {own} {map} -> map
8 mergeOverwrite {own} {map} {map} -> map
5 mustMerge {own} {map} -> map
5 mustMergeOverwrite {own} {map} -> map
6 deepCopy {map} -> map
3 mustDeepCopy {any} -> any
6 split {separator} {text} -> any
3 (split {separator} {text})._0 -> text
4 splitn {separator} {small} {text} -> any
12 splitList {separator} {text} -> texts
14 join {separator} {list} -> text
8 sortAlpha {list} -> texts
6 toStrings {list} -> texts
10 first {list} -> any
4 mustFirst {list} -> any
6 last {list} -> any
4 mustLast {list} -> any
6 rest {list} -> list
4 mustRest {list} -> list
6 initial {list} -> list
4 mustInitial {list} -> list
10 append {list} {any} -> list
4 mustAppend {list} {any} -> list
4 push {list} {any} -> list
3 mustPush {list} {any} -> list
6 prepend {list} {any} -> list
3 mustPrepend {list} {any} -> list
8 concat {list} {list} -> list
10 has {any} {list} -> bool
3 mustHas {any} {list} -> bool
8 without {list} {any} -> list
3 mustWithout {list} {any} {any} -> list
8 uniq {list} -> list
3 mustUniq {list} -> list
6 compact {list} -> list
3 mustCompact {list} -> list
6 reverse {list} -> list
3 mustReverse {list} -> list
3 slice (list {any} {any} {any}) 1 3 -> list
3 slice (list {any} {any}) 0 1 -> list
!8 slice (list {any} {any} {any}) {small} {small} -> list
3 slice (list {text} {any}) 1 -> list
3 mustSlice (list {any} {text} {any} {int}) 2 4 -> list
!4 mustSlice (list {any} {text}) {small} {small} -> list
5 chunk {small} {list} -> list
3 mustChunk {small} {list} -> list
6 until {small} -> list
4 untilStep {small} {small} {small} -> list
5 seq {small} -> text
4 seq {small} {small} -> text
4 seq {small} {small} {small} -> text
8 len {list} -> int
6 len {map} -> int
8 len {text} -> int
12 trunc {small} {text} -> text
14 trimSuffix {separator} {text} -> text
8 trimPrefix {separator} {text} -> text
8 trim {text} -> text
4 trimAll {separator} {text} -> text
2 trimall {separator} {text} -> text
10 replace {separator} {text} {text} -> text
10 contains {separator} {text} -> bool
8 hasPrefix {separator} {text} -> bool
8 hasSuffix {separator} {text} -> bool
8 upper {text} -> text
10 lower {text} -> text
6 title {text} -> text
4 untitle {text} -> text
4 swapcase {text} -> text
6 camelcase {text} -> text
6 kebabcase {text} -> text
6 snakecase {text} -> text
6 repeat {small} {text} -> text
6 substr 0 {small} {text} -> text
!6 substr {small} {small} {text} -> text
4 nospace {text} -> text
4 initials {text} -> text
4 abbrev {small} {text} -> text
4 abbrevboth {small} {small} {text} -> text
4 wrap {small} {text} -> text
4 wrapWith {small} {separator} {text} -> text
4 plural {text} {text} {small} -> text
4 shuffle {text} | len -> int
10 toString {any} -> text
8 b64enc {text} -> base64
8 b64dec {base64} -> text
4 b32enc {text} -> text
4 b32dec {text} -> text
6 sha256sum {text} -> text
3 sha1sum {text} -> text
3 sha512sum {text} -> text
3 adler32sum {text} -> text
6 html {any} -> text
4 js {any} -> text
4 urlquery {any} -> text
10 int {any} -> int
8 int64 {any} -> int
6 float64 {any} -> float
5 atoi {text} -> int
5 toDecimal {text} -> int
10 add {number} {number} -> int
4 add {any} {any} {any} -> int
6 add1 {number} -> int
8 sub {number} {number} -> int
6 mul {number} {number} -> int
6 div {number} {divisor} -> int
!6 div {number} {number} -> int
6 mod {number} {divisor} -> int
!6 mod {number} {number} -> int
4 addf {number} {number} -> float
3 add1f {number} -> float
4 subf {number} {number} -> float
4 mulf {number} {number} -> float
4 divf {number} {divisor} -> float
!4 divf {number} {number} -> float
5 max {number} {number} -> int
5 min {number} {number} -> int
3 maxf {number} {number} -> float
3 minf {number} {number} -> float
3 biggest {number} {number} -> int
5 floor {number} -> float
5 ceil {number} -> float
5 round {number} {small} -> float
3 round {number} {small} 0.25 -> float
!3 round {number} {small} {number} -> float
8 regexMatch {regex} {text} -> bool
4 mustRegexMatch {regex} {text} -> bool
6 regexFind {regex} {text} -> text
4 mustRegexFind {regex} {text} -> text
5 regexFindAll {regex} {text} {small} -> texts
3 mustRegexFindAll {regex} {text} {small} -> texts
8 regexReplaceAll {regex} {text} {replacement} -> text
4 mustRegexReplaceAll {regex} {text} {replacement} -> text
5 regexReplaceAllLiteral {regex} {text} {replacement} -> text
3 mustRegexReplaceAllLiteral {regex} {text} {replacement} -> text
5 regexSplit {regex} {text} {small} -> texts
3 mustRegexSplit {regex} {text} {small} -> texts
4 regexQuoteMeta {text} -> text
16 semverCompare {constraint} {version} -> bool
5 (semver {version}).Minor -> int
4 (semver {version}).Prerelease -> text
4 (semver {version}).Original -> text
3 (semver {version}).Compare (semver {version}) -> int
3 semver {version} | toString -> text
3 (semver {version}).IncMinor.String -> version
8 date {layout} {time} -> text
4 dateInZone {layout} {time} {zone} -> text
2 date_in_zone {layout} {time} {zone} -> text
4 htmlDate {time} -> text
3 htmlDateInZone {time} {zone} -> text
8 toDate {layout} {date} -> time
!4 mustToDate {layout} {date} -> time
4 dateModify {duration} {time} -> time
2 date_modify {duration} {time} -> time
3 mustDateModify {duration} {time} -> time
2 must_date_modify {duration} {time} -> time
4 unixEpoch {time} -> text
3 {time} | print -> text
4 duration {int} -> text
4 durationRound {duration} -> text
3 mustToDuration {duration} -> any
3 durationSeconds {duration} -> float
2 durationMilliseconds {duration} -> int
2 durationMicroseconds {duration} -> int
2 durationNanoseconds {duration} -> int
2 durationMinutes {duration} -> float
2 durationHours {duration} -> float
2 durationDays {duration} -> float
2 durationWeeks {duration} -> float
3 durationRoundTo {duration} {duration} -> any
3 durationTruncateTo {duration} {duration} -> any
2 now | kindOf -> text
2 now | typeOf -> text
10 kindOf {any} -> text
10 typeOf {any} -> text
12 kindIs {kind} {any} -> bool
8 typeIs {type} {any} -> bool
4 typeIsLike {type} {any} -> bool
5 urlParse {url} -> map
4 urlJoin (urlParse {url}) -> url
3 urlJoin {map} -> url
5 base {path} -> text
4 dir {path} -> path
4 ext {path} -> text
4 clean {path} -> path
4 isAbs {path} -> bool
2 osBase {path} -> text
2 osDir {path} -> path
2 osExt {path} -> text
2 osClean {path} -> path
2 osIsAbs {path} -> bool
!8 fail {text} -> any
4 required {text} (default "x" {text}) -> text
3 required {text} (list {any}) -> list
!8 required {text} {wanted} -> wanted
4 lookup {text} {text} {text} {text} -> map
2 getHostByName {text} -> text
2 randAlpha {small} | len -> int
2 randAlphaNum {small} | len -> int
2 randAscii {small} | len -> int
2 randNumeric {small} | len -> int
1 randBytes {small} | b64dec | len -> int
2 randInt 3 4 -> int
2 uuidv4 | len -> int
2 encryptAES "key" {text} | decryptAES "key" -> text
!2 decryptAES "key" {base64} -> text
!1 decryptAES {text} {text} -> text
"#;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_function_is_called_or_left_out_for_a_reason() {
        assert_eq!(CALLS.len(), CATALOGUE.trim().lines().count(), "a line of the catalogue is malformed");
        let mut called = BTreeSet::new();
        for call in CALLS.iter() {
            called.extend(call.words());
        }
        let missing: Vec<&str> = renderer::functions::table(renderer::Profile::V4)
            .names()
            .filter(|name| !called.contains(name) && !LEFT_OUT.contains(name))
            .collect();
        assert_eq!(missing, [""; 0]);
    }
}
