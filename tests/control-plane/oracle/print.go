package oracle

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// Hook is a hook of a release.
type Hook struct {
	Path     string
	Manifest string
	Test     bool
}

var manifestName = regexp.MustCompile("# Source: [^/]+/(.+)")

// Print is what `helm template` prints of a release (newTemplateCmd, alike in both releases). split cuts output into
// documents in their order.
func Print(request *Request, manifest string, hooks []Hook, split func(string) []string) (string, error) {
	var all strings.Builder
	fmt.Fprintln(&all, strings.TrimSpace(manifest))
	for _, hook := range hooks {
		if !request.NoHooks && !(request.SkipTests && hook.Test) {
			fmt.Fprintf(&all, "---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
		}
	}
	if len(request.ShowOnly) == 0 {
		return all.String(), nil
	}
	var output strings.Builder
	documents := split(all.String())
	for _, pattern := range request.ShowOnly {
		missing := true
		for _, document := range documents {
			name := manifestName.FindStringSubmatch(document)
			if len(name) == 0 {
				continue
			}
			if matched, _ := filepath.Match(pattern, name[1]); matched {
				fmt.Fprintf(&output, "---\n%s\n", document)
				missing = false
			}
		}
		if missing {
			return "", fmt.Errorf("could not find template %s in chart", pattern)
		}
	}
	return output.String(), nil
}
