//! Functions of which a single call takes long, and times.

use super::End::{Bytes, Held, Printed, PrintedWith, Refused, Steps};
use super::{Bomb, End, Input, bomb};

const fn endless(name: &'static str, attacks: &'static str, end: End, input: fn() -> Input) -> Bomb {
    bomb(name, attacks, end, input)
}

fn repeated(call: &str) -> Input {
    Input::template(format!("{{{{ range 1000000000 }}}}{{{{ $x := {call} }}}}{{{{ end }}}}"))
}

pub(super) const BOMBS: &[Bomb] = &[
    endless("bcrypt", "hashes that are slow by design", Steps, || repeated("bcrypt `x`")),
    endless("htpasswd", "hashes that are slow by design", Steps, || repeated("htpasswd `u` `x`")),
    endless("derive-password", "keys that are slow by design", Steps, || {
        repeated("derivePassword 1 `long` `password` `user` `example.com`")
    }),
    endless("gen-private-key", "RSA keys", Steps, || repeated("genPrivateKey `rsa`").with_fresh_keys()),
    endless("gen-private-key-unused", "RSA keys that nobody needs", Steps, || repeated("genPrivateKey `rsa`")),
    endless("gen-private-key-dsa", "DSA keys", Refused("DSA keys are not supported"), || {
        repeated("genPrivateKey `dsa`").with_fresh_keys()
    }),
    endless("gen-private-key-ecdsa", "elliptic keys", Steps, || repeated("genPrivateKey `ecdsa`").with_fresh_keys()),
    endless("gen-private-key-ed25519", "Edwards keys", Steps, || repeated("genPrivateKey `ed25519`").with_fresh_keys()),
    endless("gen-ca", "authorities", Steps, || repeated("genCA `x` 365").with_fresh_keys()),
    endless("gen-ca-unused", "authorities that nobody needs", Steps, || repeated("genCA `x` 365")),
    endless("gen-self-signed-cert", "certificates", Steps, || {
        repeated("genSelfSignedCert `x` nil nil 365").with_fresh_keys()
    }),
    endless("gen-signed-cert", "certificates of one authority", Steps, || {
        Input::template(
            "{{ $ca := genCA `x` 365 }}{{ range 1000000000 }}{{ $x := genSignedCert `x` nil nil 365 $ca }}{{ end }}",
        )
        .with_fresh_keys()
    }),
    endless("gen-cert-names", "a certificate of very many names", Steps, || {
        repeated("genSelfSignedCert `x` nil $.Values.names 365")
            .values(format!("names: [{}]", "example.com,".repeat(10_000)))
    }),
    endless("gen-cert-days", "a certificate that never ends", PrintedWith("x: 1"), || {
        Input::template("x: {{ (genCA `x` 9223372036854775807).Cert | len }}")
    }),
    endless("gen-with-key", "a key of very many bits", Steps, || {
        Input::template("{{ range 1000000000 }}{{ $x := genCAWithKey `x` 1 (genPrivateKey `rsa`) }}{{ end }}")
    }),
    endless("build-custom-cert", "certificates read again and again", Steps, || {
        Input::template(
            "{{ $ca := genCA `x` 365 }}{{ range 1000000000 }}{{ $x := buildCustomCert (b64enc $ca.Cert) (b64enc $ca.Key) }}{{ end }}",
        )
    }),
    endless("encrypt-aes", "a text encrypted again and again", Held, || {
        Input::template("{{ $s := `x` }}{{ range 1000000000 }}{{ $s = encryptAES `key` $s }}{{ end }}")
    }),
    endless("decrypt-aes", "a text decrypted again and again", Bytes, || {
        Input::template(
            "{{ $s := repeat 1000000 `x` | encryptAES `key` }}{{ range 1000000000 }}{{ $x := decryptAES `key` $s }}{{ end }}",
        )
    }),
    endless("rand-alpha-num", "a random text", Bytes, || Input::template("{{ randAlphaNum 999999999 | len }}")),
    endless("rand-ascii", "random texts", Steps, || repeated("randAscii 100000")),
    endless("rand-bytes", "random bytes", Bytes, || Input::template("{{ randBytes 999999999 | len }}")),
    endless("uuid", "random identifiers", Steps, || repeated("uuidv4")),
    endless("rand-int", "random numbers", Steps, || repeated("randInt 0 9223372036854775807")),
    endless("pow", "numbers of many digits", Steps, || repeated("round 1.23456789 2147483647")),
    endless("mulf", "decimal numbers of many digits", Held, || {
        Input::template("{{ $x := 1.1 }}{{ range 1000000000 }}{{ $x = mulf $x 1.000000001 }}{{ end }}")
    }),
    endless("addf", "decimal numbers far apart", Steps, || repeated("addf 1e308 1e-308 1e308 1e-308")),
    endless("divf", "quotients without end", Steps, || repeated("divf 1e-300 3e300 7")),
    endless("max", "very many numbers", Printed("x: 99999"), || {
        Input::template("{{ $m := 0 }}{{ range until 100000 }}{{ $m = max $m . }}{{ end }}x: {{ $m }}")
    }),
    endless("date-layout", "a layout of names of months", Held, || {
        Input::template(
            "{{ $s := `Monday January` }}{{ range until 100000 }}{{ $s = print $s (date (print $s $s) now) }}{{ end }}",
        )
    }),
    endless("date-fraction", "a fraction of very many digits", Bytes, || {
        Input::template("{{ range 1000000000 }}{{ $x := date (print `05.` (repeat 1000000 `0`)) now }}{{ end }}")
    }),
    endless("date-format-method", "a long layout of a method", Refused("layout of more than 4096 bytes"), || {
        Input::template("{{ now.Format (repeat 100000 `January`) }}")
    }),
    endless("date-in-zone", "zones looked up again and again", Steps, || {
        repeated("dateInZone `2006-01-02 MST` now `Europe/Berlin`")
    }),
    endless("date-in-zone-path", "a zone that is a path", Printed("x: 1970"), || {
        Input::template("x: {{ dateInZone `2006` now `../../../../etc/passwd` }}")
    }),
    endless("html-date", "dates of far years", Printed("x: 292277026596"), || {
        Input::template("x: {{ date `2006` 9223372036854775807 }}")
    }),
    endless("to-date", "a long text as a date", Bytes, || {
        repeated("toDate (repeat 100000 `2006`) (repeat 100000 `2007`)")
    }),
    endless("date-modify", "a duration of very many parts", Steps, || {
        Input::template("{{ $d := repeat 100000 `1h` }}{{ range 1000000000 }}{{ $x := dateModify $d now }}{{ end }}")
    }),
    endless("duration", "durations that overflow", Steps, || repeated("duration 9223372036854775807")),
    endless("duration-round", "durations that overflow", Steps, || repeated("durationRound 9223372036854775807")),
    endless("duration-text", "a duration of very many digits", Steps, || {
        Input::template(
            "{{ $d := print (repeat 100000 `9`) `h` }}{{ range 1000000000 }}{{ $x := durationRound $d }}{{ end }}",
        )
    }),
    endless("ago", "times again and again", Steps, || repeated("ago now")),
];
