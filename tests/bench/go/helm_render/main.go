// Renders charts with Helm's own packages: what tests/bench/helm_bench.ts compares with.
//
// Arguments: a folder and a file of JSON, {release, namespace, kubeVersion, cases: [{chart, values}]}, with paths below the
// folder; `override` names a value that is another text in each of `rounds`. Prints one line of JSON: milliseconds of each
// step over all cases, and of processor time.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

type corpus struct {
	Release, Namespace, KubeVersion string
	Override                        string
	Rounds                          int
	Cases                           []struct{ Chart, Values string }
}

func main() {
	started := time.Now()
	folder := os.Args[1]
	text, err := os.ReadFile(os.Args[2])
	check(err)
	var list corpus
	check(json.Unmarshal(text, &list))
	kube, err := common.ParseKubeVersion(list.KubeVersion)
	check(err)
	caps := common.DefaultCapabilities.Copy()
	caps.KubeVersion = *kube
	spent := map[string]float64{}
	failed, bytes := 0, 0
	best := 0.0
	for round := 0; round < max(1, list.Rounds); round++ {
		begun := time.Now()
		for _, each := range list.Cases {
			size, err := render(folder, each.Chart, each.Values, list, round, caps, spent)
			if err != nil {
				failed++
			}
			bytes += size
		}
		took := ms(begun)
		if round == 0 || took < best {
			best = took
		}
	}
	spent["total"] = ms(started)
	spent["best"] = best
	spent["failed"] = float64(failed)
	spent["bytes"] = float64(bytes)
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	spent["processor"] = float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
	out, err := json.Marshal(spent)
	check(err)
	fmt.Println(string(out))
}

func render(folder, path, valuesPath string, list corpus, round int, caps *common.Capabilities, spent map[string]float64) (int, error) {
	at := time.Now()
	step := func(name string) {
		spent[name] += ms(at)
		at = time.Now()
	}
	chart, err := loader.LoadDir(filepath.Join(folder, path))
	step("load")
	if err != nil {
		return 0, err
	}
	values := map[string]any{}
	if valuesPath != "" {
		read, err := common.ReadValuesFile(filepath.Join(folder, valuesPath))
		if err != nil {
			return 0, err
		}
		values = read
	}
	if list.Override != "" {
		values[list.Override] = fmt.Sprintf("round-%d", round)
	}
	if err := chartutil.ProcessDependencies(chart, values); err != nil {
		return 0, err
	}
	options := common.ReleaseOptions{Name: list.Release, Namespace: list.Namespace, Revision: 1, IsInstall: true}
	scope, err := util.ToRenderValues(chart, values, options, caps)
	step("values")
	if err != nil {
		return 0, err
	}
	files, err := engine.Render(chart, scope)
	step("render")
	if err != nil {
		return 0, err
	}
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	step("sort")
	if err != nil {
		return 0, err
	}
	size := 0
	for _, manifest := range manifests {
		size += len(manifest.Content)
	}
	for _, hook := range hooks {
		size += len(hook.Manifest)
	}
	return size, nil
}

func ms(from time.Time) float64 { return float64(time.Since(from).Microseconds()) / 1000 }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
