//! Words that the mutations put into inputs.

use renderer::Profile;
use renderer::functions::table;

fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<Vec<u8>> {
    words.into_iter().map(|word| word.as_bytes().to_vec()).collect()
}

pub(crate) fn template() -> Vec<Vec<u8>> {
    let mut functions: Vec<&str> = table(Profile::V4).names().collect();
    functions.sort_unstable();
    let mut all = words(functions);
    all.extend(words(
        "{{ }} {{- -}} {{/* */}} | ( ) := = , . $ $x $y $_ .Values .Values.a .Files .Files.Get .Chart .Release \
         .Template .Capabilities if else end range with define template block break continue true false nil \
         \"\" \"a\" `x` 'c' 0 1 -1 0x7f 1e6 1.5 1i 9223372036854775807 -9223372036854775808 18446744073709551615 1000000 \
         %d %s %v %#v %+v %q %x %08.3f %*d %T %[1]d %% [a-z]* (a|b)+ (?i) \\p{L} {2,1000} $1 ^1.2.x >=1.0.0-0 \
         2006-01-02 1h30m"
            .split(' '),
    ));
    all.extend(words(["{{ end }}", "{{ else if ", "\n---\n", "{{ range $k, $v := ", "\n%%%\n", "\u{fffd}", "ß"]));
    all
}

pub(crate) fn yaml() -> Vec<Vec<u8>> {
    let mut all = words(
        ": - ? | > |- >+ |2 & * &a *a ! !! !!str !!binary !!float !!null !!int !!timestamp !<x> <<: # --- ... % %YAML \
         { } [ ] , ' \" ~ null true yes no on off y n .inf -.inf .nan 0x1F 0o17 017 0b1 1_000 1:30 1e3 .5 +1 \
         2001-12-14 \\x41 \\u263A \\U0001F600 \\N"
            .split(' '),
    );
    all.extend(words([
        "\n", "\n  ", "\r\n", "\t", "\u{85}", "\u{2028}", "\u{feff}", "\u{0}", ": ", "- ", "? ", "\n---\n", "\n...\n",
        "<<: *a",
    ]));
    all
}

pub(crate) fn chart() -> Vec<Vec<u8>> {
    let mut all = words(
        "apiVersion: v1 v2 name: version: type: library application dependencies: alias: condition: tags: repository: \
         import-values: child: parent: annotations: kubeVersion: maintainers: enabled exports global \
         Chart.yaml Chart.lock values.yaml values.schema.json requirements.yaml requirements.lock .helmignore charts/ \
         templates/ crds/ .tgz .prov / .. ../ \\ c:/ *"
            .split(' '),
    );
    all.extend(words(["\n%%%\n", "ustar\u{0}00", "ustar  \u{0}", "\u{1f}\u{8b}\u{8}"]));
    all
}

pub(crate) fn set() -> Vec<Vec<u8>> {
    words(". [ ] = , { } \\ [0] [1] [65536] [-1] a.b null true 0 01 -1 1e3 {a,b} [1,2] {\"a\":1} \n".split(' '))
}

pub(crate) fn schema() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> =
        "$schema $id id $ref $dynamicRef $recursiveRef $recursiveAnchor $anchor $dynamicAnchor \
        $defs definitions type properties patternProperties additionalProperties propertyNames unevaluatedProperties \
        items prefixItems additionalItems unevaluatedItems contains minContains maxContains allOf anyOf oneOf not if \
        then else dependentSchemas dependentRequired dependencies required enum const pattern format minimum maximum \
        exclusiveMinimum multipleOf minLength maxLength minItems maxItems uniqueItems minProperties immutable title \
        description writeOnly password string integer number object array boolean null ipv4 date-time regex uri # #/ \
        #/$defs/a #/properties/a"
            .split_whitespace()
            .map(|word| format!("\"{word}\"").into_bytes())
            .collect();
    all.extend(words(
        "{ } [ ] , : true false null 0 1 -1 1e308 \"a\" \"http://json-schema.org/draft-07/schema#\" \
         \"http://json-schema.org/draft-04/schema#\" \"https://json-schema.org/draft/2019-09/schema\""
            .split_whitespace(),
    ));
    all.push(crate::SEPARATOR.to_vec());
    all
}
