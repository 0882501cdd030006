// The oracle (see the package control-plane/oracle for its protocol) that links Helm 3.
package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sort"

	"control-plane/oracle"
	"github.com/BurntSushi/toml"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/getter"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v3"
)

type helm struct {
	settings *cli.EnvSettings
	getters  getter.Providers
}

func main() {
	settings := cli.New()
	oracle.Main(&helm{settings: settings, getters: getter.All(settings)})
}

// load does what `helm template` does before it renders: newTemplateCmd and runInstall of cmd/helm.
func (helm *helm) load(request *oracle.Request, client *action.Install) (*chart.Chart, map[string]any, error) {
	if request.KubeVersion != "" {
		version, err := chartutil.ParseKubeVersion(request.KubeVersion)
		if err != nil {
			return nil, nil, fmt.Errorf("invalid kube version '%s': %s", request.KubeVersion, err)
		}
		client.KubeVersion = version
	}
	path, err := client.LocateChart(request.Path, helm.settings)
	if err != nil {
		return nil, nil, err
	}
	values, err := helm.MergeValues(request)
	if err != nil {
		return nil, nil, err
	}
	loaded, err := loader.Load(path)
	if err != nil {
		return nil, nil, err
	}
	switch kind := loaded.Metadata.Type; kind {
	case "", "application":
	default:
		return nil, nil, fmt.Errorf("%s charts are not installable", kind)
	}
	if dependencies := loaded.Metadata.Dependencies; dependencies != nil {
		if err := action.CheckDependencies(loaded, dependencies); err != nil {
			return nil, nil, fmt.Errorf("An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: %w", err)
		}
	}
	return loaded, values, nil
}

func newInstall() *action.Install {
	return action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
}

func (helm *helm) Render(request *oracle.Request) (string, error) {
	client := newInstall()
	client.DryRun = true
	client.ClientOnly = true
	client.Replace = true
	client.ReleaseName = request.Release
	client.Namespace = request.Namespace
	client.APIVersions = chartutil.VersionSet(request.APIVersions)
	client.IncludeCRDs = request.IncludeCRDs
	client.IsUpgrade = request.IsUpgrade
	client.SkipSchemaValidation = request.SkipSchemaValidation
	client.DisableHooks = request.NoHooks
	loaded, values, err := helm.load(request, client)
	if err != nil {
		return "", err
	}
	rel, err := client.Run(loaded, values)
	if err != nil {
		if rel != nil {
			return "", fmt.Errorf("%w\n\nUse --debug flag to render out invalid YAML", err)
		}
		return "", err
	}
	hooks := make([]oracle.Hook, len(rel.Hooks))
	for i, hook := range rel.Hooks {
		hooks[i] = oracle.Hook{Path: hook.Path, Manifest: hook.Manifest, Test: slices.Contains(hook.Events, release.HookTest)}
	}
	return oracle.Print(request, rel.Manifest, hooks, split)
}

// split cuts output into its documents, in order.
func split(manifests string) []string {
	documents := releaseutil.SplitManifests(manifests)
	keys := slices.Collect(maps.Keys(documents))
	sort.Sort(releaseutil.BySplitManifestsOrder(keys))
	ordered := make([]string, len(keys))
	for i, key := range keys {
		ordered[i] = documents[key]
	}
	return ordered
}

func (helm *helm) Prepare(request *oracle.Request) (func() (map[string]string, error), error) {
	client := newInstall()
	loaded, values, err := helm.load(request, client)
	if err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(loaded, values); err != nil {
		return nil, err
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	if client.KubeVersion != nil {
		capabilities.KubeVersion = *client.KubeVersion
	}
	capabilities.APIVersions = append(capabilities.APIVersions, request.APIVersions...)
	options := chartutil.ReleaseOptions{
		Name:      request.Release,
		Namespace: request.Namespace,
		Revision:  1,
		IsInstall: !request.IsUpgrade,
		IsUpgrade: request.IsUpgrade,
	}
	ready, err := chartutil.ToRenderValuesWithSchemaValidation(loaded, values, options, capabilities, request.SkipSchemaValidation)
	if err != nil {
		return nil, err
	}
	return func() (map[string]string, error) { return engine.Render(loaded, ready) }, nil
}

func (helm *helm) MergeValues(request *oracle.Request) (map[string]any, error) {
	options := values.Options{
		ValueFiles:    request.ValueFiles(),
		Values:        request.Set,
		StringValues:  request.SetString,
		JSONValues:    request.SetJSON,
		FileValues:    request.SetFile,
		LiteralValues: request.SetLiteral,
	}
	return options.MergeValues(helm.getters)
}

// ReadValues is how loader.LoadFiles reads values.yaml.
func (*helm) ReadValues(text []byte) (map[string]any, error) {
	values := map[string]any{}
	if err := yaml.Unmarshal(text, &values); err != nil {
		return nil, err
	}
	return values, nil
}

func (*helm) YAMLToJSON(text []byte) ([]byte, error) { return yaml.YAMLToJSON(text) }

func (*helm) ToYAML(value any) ([]byte, error) { return yaml.Marshal(value) }

func (*helm) ToYAMLPretty(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := goyaml.NewEncoder(&text)
	encoder.SetIndent(2)
	err := encoder.Encode(value)
	return text.Bytes(), err
}

func (*helm) ToTOML(value any) ([]byte, error) {
	var text bytes.Buffer
	err := toml.NewEncoder(&text).Encode(value)
	return text.Bytes(), err
}

func (*helm) FromTOML(text []byte) (map[string]any, error) {
	value := map[string]any{}
	err := toml.Unmarshal(text, &value)
	return value, err
}
