// Package oracle is a long-lived program that answers questions with Helm's own packages: what does Helm print for this
// chart, how does it read this YAML. The programs beside it (`helm/oracle`, `helm3/oracle`) link one Helm release each
// and answer alike.
//
// # Protocol
//
// One JSON object a line on standard input is a request; one JSON object a line on standard output is its answer, in
// the same order. The program ends with the end of its input. It says nothing on standard error.
//
// Every request has the field "kind"; what is not given is empty, zero or false. An answer has "output", or "error"
// with the text of the error as Helm prints it (without `Error: ` before it). Bytes that are no UTF-8 come as
// "output_base64" and "error_base64" instead. A panic of Helm's is an error that begins with `panic: `; a request that
// makes no sense is one that begins with `request: `.
//
// kind "render": what `helm template` prints.
//
//	files           chart as a map from path to base64 of the content; written to a folder `chart` for Helm to read
//	path            or: absolute path of a chart, folder or archive
//	beside          map from relative path to base64: files for set_file to name
//	values          YAML texts, as files of `--values` named values-0.yaml and so on
//	set, set_string, set_json, set_file, set_literal    lists, as the flags of these names
//	release, namespace                  as NAME and `--namespace`; `release-name` and `default` if empty
//	kube_version, api_versions          as the flags of these names
//	is_upgrade, skip_schema_validation, include_crds, no_hooks, skip_tests, show_only    as the flags of these names
//
// kind "files": as "render", but the output is a JSON object from template name to its text, and everything after the
// templates' execution (cutting, sorting, printing) is left out.
//
// kind "template": the text of one template file in a chart of its own.
//
//	template    text of the file `templates/t` of the chart `c` 0.1.0 with appVersion "1.2"
//	values      at most one YAML text, the user's values
//	files       further files of the chart, as in "render"
//
// The release is `rel` in the namespace `ns`.
//
// kind "yaml": text as Helm reads a values file; the output is JSON.
//
// kind "yaml2json": text as sigs.k8s.io/yaml reads it, without Helm's cutting into documents; the output is JSON.
//
// kind "to-yaml": json, any JSON value with numbers as Helm sees them, float64; the output is what toYaml prints.
//
// kind "json": text as encoding/json reads it; the output is JSON.
//
// kind "codec": one codec on many texts; the output is a JSON array of answers.
//
//	codec     "yaml" (sigs.k8s.io/yaml), "json" (encoding/json) and "toml" (BurntSushi) read a text, the output is JSON;
//	          "to-yaml", "to-yaml-pretty", "to-json" and "to-toml" write a value given as JSON
//	inputs    the texts in base64
//	count     if it is not zero, each input is measured that many times instead; the outputs are nanoseconds, the
//	          least of them
//
// kind "set": lists set, set_string, set_json and set_literal, beside and set_file, values; the output is the merged
// values as JSON.
//
// kind "bench": as "render"; measures.
//
//	count     how often, at least 1
//
// The output is a JSON object: engine and whole are objects of best and median in nanoseconds; engine is the parsing
// and execution of the templates of a chart in memory, with values ready; whole is everything that "render" does, from
// reading the chart to the text. peak_bytes is the most memory that the process held while it did this, bytes the size
// of the output.
package oracle

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Request is one line of the input.
type Request struct {
	Kind                 string            `json:"kind"`
	Files                map[string]string `json:"files"`
	Path                 string            `json:"path"`
	Beside               map[string]string `json:"beside"`
	Values               []string          `json:"values"`
	Set                  []string          `json:"set"`
	SetString            []string          `json:"set_string"`
	SetJSON              []string          `json:"set_json"`
	SetFile              []string          `json:"set_file"`
	SetLiteral           []string          `json:"set_literal"`
	Release              string            `json:"release"`
	Namespace            string            `json:"namespace"`
	KubeVersion          string            `json:"kube_version"`
	APIVersions          []string          `json:"api_versions"`
	IsUpgrade            bool              `json:"is_upgrade"`
	SkipSchemaValidation bool              `json:"skip_schema_validation"`
	IncludeCRDs          bool              `json:"include_crds"`
	NoHooks              bool              `json:"no_hooks"`
	SkipTests            bool              `json:"skip_tests"`
	ShowOnly             []string          `json:"show_only"`
	Template             string            `json:"template"`
	Text                 string            `json:"text"`
	JSON                 any               `json:"json"`
	Codec                string            `json:"codec"`
	Inputs               [][]byte          `json:"inputs"`
	Count                int               `json:"count"`
}

// ValueFiles are the names of the files that hold Values.
func (request *Request) ValueFiles() []string {
	names := make([]string, len(request.Values))
	for i := range request.Values {
		names[i] = fmt.Sprintf("values-%d.yaml", i)
	}
	return names
}

// Helm is one release of Helm. Relative paths in requests are of the working directory.
type Helm interface {
	// Render does what `helm template` does.
	Render(*Request) (string, error)
	// Prepare loads chart and values; what it returns parses and executes the chart's templates.
	Prepare(*Request) (func() (map[string]string, error), error)
	// ReadValues reads a values file.
	ReadValues(text []byte) (map[string]any, error)
	// MergeValues reads what the flags for values give.
	MergeValues(*Request) (map[string]any, error)
	// YAMLToJSON is that of sigs.k8s.io/yaml.
	YAMLToJSON(text []byte) ([]byte, error)
	// ToYAML is Marshal of sigs.k8s.io/yaml.
	ToYAML(value any) ([]byte, error)
	// ToYAMLPretty writes as toYamlPretty does.
	ToYAMLPretty(value any) ([]byte, error)
	// ToTOML writes as toToml does.
	ToTOML(value any) ([]byte, error)
	// FromTOML reads as fromToml does.
	FromTOML(text []byte) (map[string]any, error)
}

type answer struct {
	Output       *string `json:"output,omitempty"`
	OutputBase64 *string `json:"output_base64,omitempty"`
	Error        *string `json:"error,omitempty"`
	ErrorBase64  *string `json:"error_base64,omitempty"`
}

// Main answers standard input on standard output.
func Main(helm Helm) {
	// Helm's warnings go to standard error, which `helm template` does not mix with its output either.
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if err := serve(helm, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func serve(helm Helm, input io.Reader, output io.Writer) error {
	folder, err := scratch()
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	reader := bufio.NewReaderSize(input, 1<<20)
	writer := json.NewEncoder(output)
	writer.SetEscapeHTML(false)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := writer.Encode(reply(helm, line, folder)); err != nil {
			return err
		}
	}
}

// scratch makes a folder for charts, in memory where the system offers that.
func scratch() (string, error) {
	if folder, err := os.MkdirTemp("/dev/shm", "helm-oracle-"); err == nil {
		return folder, nil
	}
	return os.MkdirTemp("", "helm-oracle-")
}

func reply(helm Helm, line []byte, folder string) (reply answer) {
	var request Request
	if err := json.Unmarshal(line, &request); err != nil {
		return failed(fmt.Errorf("request: %w", err))
	}
	defer func() {
		if cause := recover(); cause != nil {
			reply = failed(fmt.Errorf("panic: %v", cause))
		}
	}()
	here, err := os.MkdirTemp(folder, "")
	if err != nil {
		return failed(fmt.Errorf("request: %w", err))
	}
	defer os.RemoveAll(here)
	if err := place(&request, here); err != nil {
		return failed(fmt.Errorf("request: %w", err))
	}
	output, err := ask(helm, &request)
	if err != nil {
		return failed(err)
	}
	return succeeded(output)
}

func succeeded(output []byte) answer {
	if utf8.Valid(output) {
		text := string(output)
		return answer{Output: &text}
	}
	encoded := base64.StdEncoding.EncodeToString(output)
	return answer{OutputBase64: &encoded}
}

func failed(err error) answer {
	text := err.Error()
	if utf8.ValidString(text) {
		return answer{Error: &text}
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	return answer{ErrorBase64: &encoded}
}

func ask(helm Helm, request *Request) ([]byte, error) {
	switch request.Kind {
	case "render":
		output, err := helm.Render(request)
		return []byte(output), err
	case "files":
		render, err := helm.Prepare(request)
		if err != nil {
			return nil, err
		}
		files, err := render()
		if err != nil {
			return nil, err
		}
		return marshal(files)
	case "template":
		render, err := helm.Prepare(request)
		if err != nil {
			return nil, err
		}
		files, err := render()
		return []byte(files["c/templates/t"]), err
	case "yaml":
		values, err := helm.ReadValues([]byte(request.Text))
		if err != nil {
			return nil, err
		}
		return marshal(values)
	case "yaml2json":
		return helm.YAMLToJSON([]byte(request.Text))
	case "to-yaml":
		return helm.ToYAML(request.JSON)
	case "json":
		var value any
		if err := json.Unmarshal([]byte(request.Text), &value); err != nil {
			return nil, err
		}
		return marshal(value)
	case "codec":
		answers := make([]answer, len(request.Inputs))
		for i, input := range request.Inputs {
			answers[i] = convert(helm, request.Codec, request.Count, input)
		}
		return marshal(answers)
	case "set":
		values, err := helm.MergeValues(request)
		if err != nil {
			return nil, err
		}
		return marshal(values)
	case "bench":
		return bench(helm, request)
	default:
		return nil, fmt.Errorf("request: unknown kind %q", request.Kind)
	}
}

// convert applies a codec to one text.
func convert(helm Helm, codec string, count int, input []byte) (reply answer) {
	defer func() {
		if cause := recover(); cause != nil {
			reply = failed(fmt.Errorf("panic: %v", cause))
		}
	}()
	run, err := converter(helm, codec, input)
	if err != nil {
		return failed(err)
	}
	var best time.Duration
	for i := range count {
		start := time.Now()
		_, _ = run()
		if took := time.Since(start); i == 0 || took < best {
			best = took
		}
	}
	if count > 0 {
		return succeeded([]byte(strconv.FormatInt(best.Nanoseconds(), 10)))
	}
	output, err := run()
	if err != nil {
		return failed(err)
	}
	return succeeded(output)
}

func converter(helm Helm, codec string, input []byte) (func() ([]byte, error), error) {
	write := map[string]func(any) ([]byte, error){
		"to-yaml":        helm.ToYAML,
		"to-yaml-pretty": helm.ToYAMLPretty,
		"to-json":        json.Marshal,
		"to-toml":        helm.ToTOML,
	}[codec]
	if write != nil {
		var value any
		if err := json.Unmarshal(input, &value); err != nil {
			return nil, fmt.Errorf("request: %w", err)
		}
		return func() ([]byte, error) { return write(value) }, nil
	}
	switch codec {
	case "yaml":
		return func() ([]byte, error) { return helm.YAMLToJSON(input) }, nil
	case "json":
		return func() ([]byte, error) {
			var value any
			if err := json.Unmarshal(input, &value); err != nil {
				return nil, err
			}
			return json.Marshal(value)
		}, nil
	case "toml":
		return func() ([]byte, error) {
			value, err := helm.FromTOML(input)
			if err != nil {
				return nil, err
			}
			return json.Marshal(value)
		}, nil
	default:
		return nil, fmt.Errorf("request: unknown codec %q", codec)
	}
}

func marshal(value any) ([]byte, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(text.String(), "\n")), nil
}

// place writes the files of a request below a folder and makes it the working directory.
func place(request *Request, folder string) error {
	if err := os.Chdir(folder); err != nil {
		return err
	}
	if request.Kind == "template" {
		chart := map[string]string{
			"Chart.yaml":  "apiVersion: v2\nname: c\nversion: 0.1.0\nappVersion: \"1.2\"\n",
			"templates/t": request.Template,
		}
		for name, text := range chart {
			if err := write(filepath.Join("chart", name), []byte(text)); err != nil {
				return err
			}
		}
		request.Release, request.Namespace = "rel", "ns"
	}
	if request.Path == "" {
		request.Path = "chart"
	} else if !filepath.IsAbs(request.Path) {
		return fmt.Errorf("path %q is not absolute", request.Path)
	}
	for name, content := range request.Files {
		if err := decode(filepath.Join("chart", name), content); err != nil {
			return err
		}
	}
	for name, content := range request.Beside {
		if err := decode(name, content); err != nil {
			return err
		}
	}
	for i, name := range request.ValueFiles() {
		if err := write(name, []byte(request.Values[i])); err != nil {
			return err
		}
	}
	if request.Release == "" {
		request.Release = "release-name"
	}
	if request.Namespace == "" {
		request.Namespace = "default"
	}
	return nil
}

func decode(name, content string) error {
	data, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return write(name, data)
}

func write(name string, data []byte) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%q leaves its folder", name)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

type timing struct {
	Best   int64 `json:"best"`
	Median int64 `json:"median"`
}

func bench(helm Helm, request *Request) ([]byte, error) {
	count := max(request.Count, 1)
	forgetPeak()
	var engine, whole []time.Duration
	var output string
	for range count {
		// Templates may change their values: fresh ones each time.
		render, err := helm.Prepare(request)
		if err != nil {
			return nil, err
		}
		start := time.Now()
		_, err = render()
		engine = append(engine, time.Since(start))
		if err != nil {
			return nil, err
		}
		start = time.Now()
		output, err = helm.Render(request)
		whole = append(whole, time.Since(start))
		if err != nil {
			return nil, err
		}
	}
	peak, err := peakBytes()
	if err != nil {
		return nil, err
	}
	return marshal(struct {
		Engine timing `json:"engine"`
		Whole  timing `json:"whole"`
		Peak   int64  `json:"peak_bytes"`
		Bytes  int    `json:"bytes"`
	}{summary(engine), summary(whole), peak, len(output)})
}

func summary(times []time.Duration) timing {
	slices.Sort(times)
	return timing{times[0].Nanoseconds(), times[len(times)/2].Nanoseconds()}
}

// forgetPeak lets the kernel count the peak of memory anew (proc_pid_clear_refs, 5).
func forgetPeak() {
	debug.FreeOSMemory()
	// Where it cannot be reset, the peak is that of the process.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

func peakBytes() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("/proc/self/status lacks VmHWM")
}
