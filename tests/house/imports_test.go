package house

import (
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrow says which packages of this module the packages of one directory tree
// may import. Names are relative to the module; "x/..." stands for x and all
// below it.
type arrow struct {
	from string
	to   []string
	// outsideTests is what tests in package x_test may import in addition: they
	// use the package as its users do.
	outsideTests []string
}

// base is the ground that stands on nothing but the standard library.
var base = []string{"internal/wire", "internal/invariants", "internal/fault", "internal/atomicop", "internal/rowsum"}

// arrows is architecture §3 as a table. The longest matching from applies; a
// package may always import what lies below itself. What is not listed may be
// imported by nobody until somebody decides where it stands.
func arrows() []arrow {
	roles := []string{"txn", "sequencer", "resolver", "txlog", "storage"}
	table := []arrow{
		{from: "layers/...", to: []string{"kv", "kv/tuple", "kv/subspace", "kv/directory", "layers/internal/..."}, outsideTests: []string{"kv/embedded", "layers/..."}},
		// The client's tests compare it with the map that the simulation uses.
		{from: "kv", to: base, outsideTests: []string{"kv/...", "internal/sim/oracle", "tests/tables"}},
		{from: "kv/internal/...", to: slices.Concat(base, []string{"kv/internal/..."})},
		{from: "kv/tuple", to: []string{"internal/wire"}, outsideTests: []string{"kv/..."}},
		{from: "kv/subspace", to: []string{"internal/wire", "kv", "kv/tuple"}, outsideTests: []string{"kv/..."}},
		{from: "kv/directory", to: []string{"internal/wire", "kv", "kv/tuple", "kv/subspace"}, outsideTests: []string{"kv/..."}},
		{from: "kv/typed", to: []string{"internal/wire", "kv", "kv/tuple", "kv/subspace"}, outsideTests: []string{"kv/..."}},
		{from: "kv/blob", to: []string{"internal/wire", "kv", "kv/tuple", "kv/subspace"}, outsideTests: []string{"kv/...", "internal/wire"}},
		{from: "kv/bulk", to: []string{"internal/wire", "kv"}, outsideTests: []string{"kv/...", "internal/wire"}},
		{from: "kv/metrics", to: []string{"kv"}, outsideTests: []string{"kv/..."}},
		{from: "kv/embedded", to: slices.Concat(base, []string{"kv", "cluster/..."}), outsideTests: []string{"internal/bench/paired"}},
		// It brings the simulation to users' tests, and no further.
		{from: "kv/simtest", to: slices.Concat(base, []string{"kv", "cluster/...", "internal/sim/..."})},
		{from: "cmd/...", to: []string{"cmd/...", "kv/...", "layers/...", "cluster/...", "internal/..."}},
		{from: "cluster/...", to: slices.Concat(base, roles, []string{"internal/raftgroup", "internal/usage", "internal/wal", "internal/transport/..."})},
		{from: "internal/wire"},
		{from: "internal/invariants"},
		{from: "internal/fault"},
		{from: "internal/rowsum"},
		{from: "internal/usage"},
		{from: "internal/atomicop", to: []string{"internal/wire", "internal/invariants"}},
		{from: "internal/wal", to: base},
		{from: "internal/raftgroup", to: slices.Concat(base, []string{"internal/wal"})},
		{from: "internal/transport/...", to: base},
		// The benchmark's workloads know no store; drivers do.
		{from: "internal/bench/benchtest", to: []string{"internal/bench"}},
		{from: "internal/bench/plinth", to: []string{"internal/bench", "kv", "kv/embedded"}, outsideTests: []string{"internal/bench/..."}},
		{from: "internal/bench/paired", to: []string{"internal/usage"}},
		{from: "internal/bench", to: []string{"internal/usage"}},
		// The simulation runs the whole product; only cmd and tests run it.
		{from: "internal/sim/...", to: []string{"kv/...", "cluster/...", "internal/..."}},
		{from: "tests/...", to: []string{"..."}},
		{from: "examples/...", to: []string{"kv/...", "layers/..."}},
	}
	for _, role := range roles {
		to := slices.Concat(base, []string{role + "/..."})
		if role == "txlog" {
			to = append(to, "internal/raftgroup", "internal/wal")
		}
		table = append(table, arrow{from: role + "/...", to: to})
	}
	return table
}

// place says which directory trees of this module may import a dependency.
type place struct {
	dependency string
	in         []string
	// tests says that all tests may import it too.
	tests bool
}

// places is the list of dependencies. The longest matching one applies.
func places() []place {
	return []place{
		{dependency: "github.com/cockroachdb/pebble/v2", in: []string{"storage/...", "internal/sim/...", "tests/..."}, tests: true},
		{dependency: "github.com/cockroachdb/pebble/v2/vfs", in: []string{"storage/...", "txlog/...", "internal/wal", "internal/raftgroup", "internal/sim/...", "cluster/...", "kv/embedded", "cmd/...", "tests/..."}, tests: true},
		{dependency: "github.com/google/btree", in: []string{"resolver/...", "storage/...", "kv"}, tests: true},
		{dependency: "go.etcd.io/raft/v3", in: []string{"internal/raftgroup", "txlog/...", "cluster/..."}},
		{dependency: "google.golang.org/grpc", in: []string{"internal/transport/...", "tests/..."}},
		// raft v3.7 hands out Google's protobuf messages.
		{dependency: "google.golang.org/protobuf", in: []string{"internal/transport/...", "internal/raftgroup", "txlog/..."}},
		{dependency: "github.com/prometheus", in: []string{"cluster/...", "cmd/...", "kv/metrics"}, tests: true},
		{dependency: "github.com/gofrs/flock", in: []string{"cluster/...", "kv/embedded", "internal/sim/..."}},
		{dependency: "github.com/spf13", in: []string{"cmd/..."}},
		{dependency: "github.com/peterh/liner", in: []string{"cmd/..."}},
		{dependency: "github.com/schollz/progressbar/v3", in: []string{"cmd/..."}},
		{dependency: "github.com/tetratelabs/wazero", in: []string{"internal/sim/...", "tests/sim/..."}},
		{dependency: "github.com/anishathalye/porcupine", in: []string{"internal/sim/...", "tests/..."}, tests: true},
		{dependency: "github.com/cockroachdb/datadriven", tests: true},
		{dependency: "pgregory.net/rapid", tests: true},
		{dependency: "golang.org/x/sync", in: []string{"..."}},
		{dependency: "golang.org/x/sys", in: []string{"..."}},
		{dependency: "golang.org/x/term", in: []string{"cmd/..."}},
	}
}

// heavy names what a program that only uses the client must not have to link.
func heavy() []string {
	return []string{
		"github.com/cockroachdb/pebble", "go.etcd.io/raft", "google.golang.org/grpc",
		"github.com/spf13/cobra", "github.com/tetratelabs/wazero", "github.com/prometheus",
	}
}

// matches reports whether name is covered by pattern, which may end in "...".
func matches(name, pattern string) bool {
	if pattern == "..." {
		return true
	}
	if dir, ok := strings.CutSuffix(pattern, "/..."); ok {
		return under(name, dir)
	}
	return name == pattern
}

func matchesAny(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(name, p) })
}

// imported is one import of a file. Of this module's own packages, own is the
// path relative to the module.
type imported struct {
	path  string
	own   string
	isOwn bool
	pos   token.Pos
}

// imports returns the imports of f outside the standard library, whose paths
// have no dot in their first element.
func (f *goFile) imports() []imported {
	var all []imported
	for _, spec := range f.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // does not parse as Go, so cannot reach here
		}
		first, _, _ := strings.Cut(name, "/")
		if !strings.Contains(first, ".") {
			continue
		}
		own, isOwn := strings.CutPrefix(name+"/", modulePath+"/")
		all = append(all, imported{path: name, own: strings.TrimSuffix(own, "/"), isOwn: isOwn, pos: spec.Pos()})
	}
	return all
}

// importArrows applies the table of arrows to the imports of own packages.
func importArrows(t *tree) []finding {
	var found []finding
	unknown := map[string]bool{}
	for _, f := range t.goes {
		if f.nested || unknown[f.dir()] {
			continue
		}
		row, ok := arrowFrom(f.dir())
		if !ok {
			unknown[f.dir()] = true
			found = append(found, finding{f.path, 1, "no row says what the packages of " + f.dir() + " may import",
				"add one to arrows in tests/house/imports_test.go that follows architecture §3"})
			continue
		}
		for _, i := range f.imports() {
			if i.isOwn && !row.allows(f, i.own) {
				found = append(found, finding{f.path, t.line(i.pos), fmt.Sprintf("%s must not import %s", f.dir(), i.own),
					"declare the small interface that is needed and let the package above wire it, or bring architecture §3 and the table of arrows here up to date"})
			}
		}
	}
	return found
}

func arrowFrom(dir string) (best arrow, ok bool) {
	for _, row := range arrows() {
		if matches(dir, row.from) && (!ok || len(row.from) > len(best.from)) {
			best, ok = row, true
		}
	}
	return best, ok
}

func (a arrow) allows(f *goFile, own string) bool {
	if under(own, f.dir()) || matchesAny(own, a.to) {
		return true
	}
	return f.isOutsideTest() && matchesAny(own, a.outsideTests)
}

// dependencyPlaces applies the list of dependencies.
func dependencyPlaces(t *tree) []finding {
	var found []finding
	for _, f := range t.goes {
		if f.nested {
			continue
		}
		for _, i := range f.imports() {
			if i.isOwn {
				continue
			}
			row, known := placeOf(i.path)
			if !known {
				found = append(found, finding{f.path, t.line(i.pos), i.path + " is not a known dependency",
					"do without it, or add a row to places in tests/house/imports_test.go with a reason in the commit"})
			} else if !matchesAny(f.dir(), row.in) && !(f.isTest() && row.tests) {
				found = append(found, finding{f.path, t.line(i.pos), fmt.Sprintf("%s must not import %s", f.dir(), i.path),
					fmt.Sprintf("it belongs to %v (tests: %v)", row.in, row.tests)})
			}
		}
	}
	return found
}

func placeOf(dependency string) (best place, known bool) {
	for _, row := range places() {
		if under(dependency, row.dependency) && len(row.dependency) > len(best.dependency) {
			best, known = row, true
		}
	}
	return best, known
}

// lightClient follows the imports of the client's packages through this
// module and reports those that end at something heavy.
func lightClient(t *tree) []finding {
	byDir := map[string][]*goFile{}
	for _, f := range t.goes {
		if !f.nested && !f.isTest() {
			byDir[f.dir()] = append(byDir[f.dir()], f)
		}
	}
	var found []finding
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		if under(dir, "kv") && !under(dir, "kv/embedded") && !under(dir, "kv/simtest") && !under(dir, "kv/metrics") {
			found = append(found, t.followHeavy(byDir, dir)...)
		}
	}
	return found
}

// followHeavy reports the first way from dir to each heavy import.
func (t *tree) followHeavy(byDir map[string][]*goFile, dir string) []finding {
	var found []finding
	seen := map[string]bool{}
	var follow func(dir string, way []string)
	follow = func(dir string, way []string) {
		if seen[dir] {
			return
		}
		seen[dir] = true
		way = append(slices.Clone(way), dir)
		for _, f := range byDir[dir] {
			for _, i := range f.imports() {
				if i.isOwn {
					follow(i.own, way)
				} else if slices.ContainsFunc(heavy(), func(h string) bool { return under(i.path, h) }) {
					found = append(found, finding{f.path, t.line(i.pos),
						fmt.Sprintf("the client links %s by way of %s", i.path, strings.Join(way, " → ")),
						"move what needs it out of the client's packages"})
				}
			}
		}
	}
	follow(dir, nil)
	return found
}

func TestImportArrowsFindWhatRunsTheWrongWay(t *testing.T) {
	tree := sample(t, map[string]string{
		"go.mod":                 "module " + modulePath,
		"txn/proxy.go":           "package txn\n\nimport (\n\t\"fmt\"\n\t\"github.com/plinthdb/plinth/internal/wire\"\n\t\"github.com/plinthdb/plinth/resolver\"\n)\n",
		"txlog/log.go":           "package txlog\nimport _ \"github.com/plinthdb/plinth/internal/raftgroup\"\n",
		"storage/s.go":           "package storage\nimport _ \"github.com/plinthdb/plinth/internal/raftgroup\"\n",
		"kv/db.go":               "package kv\nimport _ \"github.com/plinthdb/plinth/kv/embedded\"\n",
		"kv/db_test.go":          "package kv\nimport _ \"github.com/plinthdb/plinth/storage\"\n",
		"kv/example_test.go":     "package kv_test\nimport _ \"github.com/plinthdb/plinth/kv/embedded\"\n",
		"kv/embedded/open.go":    "package embedded\nimport _ \"github.com/plinthdb/plinth/cluster\"\n",
		"storage/window/w.go":    "package window\nimport _ \"github.com/plinthdb/plinth/storage\"\n",
		"novelty/n.go":           "package novelty\n",
		"novelty/o.go":           "package novelty\n",
		"cmd/plinth/check.go":    "package main\nimport _ \"github.com/plinthdb/plinth/storage\"\n",
		"tests/bench/go.mod":     "module " + modulePath + "/tests/bench",
		"tests/bench/b.go":       "package bench\nimport _ \"github.com/plinthdb/plinth/storage\"\n",
		"layers/queue/q.go":      "package queue\nimport _ \"github.com/plinthdb/plinth/layers/document\"\n",
		"layers/queue/q_test.go": "package queue_test\nimport _ \"github.com/plinthdb/plinth/kv/embedded\"\n",
	})
	expect(t, importArrows(tree),
		"txn/proxy.go:6", "storage/s.go:2", "kv/db_test.go:2",
		"novelty/n.go:1", "cmd/plinth/check.go:2", "layers/queue/q.go:2")
}

func TestDependencyPlacesFindStraysAndStrangers(t *testing.T) {
	tree := sample(t, map[string]string{
		"storage/engine.go":    "package storage\nimport _ \"github.com/cockroachdb/pebble/v2\"\n",
		"txlog/wal.go":         "package txlog\nimport _ \"github.com/cockroachdb/pebble/v2/vfs\"\n",
		"txlog/store.go":       "package txlog\nimport _ \"github.com/cockroachdb/pebble/v2/record\"\n",
		"txlog/log_test.go":    "package txlog\nimport _ \"pgregory.net/rapid\"\n",
		"txlog/model.go":       "package txlog\nimport _ \"pgregory.net/rapid\"\n",
		"resolver/r.go":        "package resolver\nimport _ \"example.com/leftpad\"\n",
		"tests/bench/go.mod":   "module bench",
		"tests/bench/bench.go": "package main\nimport _ \"example.com/leftpad\"\n",
	})
	expect(t, dependencyPlaces(tree), "txlog/store.go:2", "txlog/model.go:2", "resolver/r.go:2")
}

func TestLightClientFollowsImports(t *testing.T) {
	tree := sample(t, map[string]string{
		"kv/db.go":                "package kv\nimport _ \"github.com/plinthdb/plinth/internal/wire\"\n",
		"kv/tuple/t.go":           "package tuple\n",
		"internal/wire/w.go":      "package wire\nimport _ \"github.com/plinthdb/plinth/internal/transport\"\n",
		"internal/transport/t.go": "package transport\nimport _ \"google.golang.org/grpc\"\n",
		"kv/db_test.go":           "package kv\nimport _ \"github.com/cockroachdb/pebble/v2/vfs\"\n",
		"kv/embedded/e.go":        "package embedded\nimport _ \"github.com/cockroachdb/pebble/v2/vfs\"\n",
	})
	expect(t, lightClient(tree), "internal/transport/t.go:2")
}
