package host

import (
	"context"
	_ "embed" // for the patch files
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const pebbleModule = "github.com/cockroachdb/pebble/v2"

// lockPollInterval is how often a build looks whether another one has ended.
const lockPollInterval = 100 * time.Millisecond

//go:embed patch/rawalloc_wasm.go.txt
var rawallocPatch []byte

//go:embed patch/default_wasip1.go.txt
var vfsPatch []byte

//go:embed patch/bitflip.go.txt
var bitflipPatch []byte

// pebblePatches are the files that Pebble needs to compile for wasm, and one
// that would cost minutes there.
func pebblePatches() map[string][]byte {
	return map[string][]byte{
		"internal/rawalloc/rawalloc_wasm.go": rawallocPatch,
		"vfs/default_wasip1.go":              vfsPatch,
		"internal/bitflip/bitflip.go":        bitflipPatch,
	}
}

// pebbleSuperfluous does not compile for wasm and is not needed.
const pebbleSuperfluous = "vfs/file_lock_generic.go"

// patchedPebble returns the directory of a copy of the Pebble in go.mod that
// compiles for wasm, and makes it first if it is not there yet.
func (b *builder) patchedPebble(ctx context.Context) (string, error) {
	version, source, err := b.downloadPebble(ctx)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(b.cache, "pebble-"+version+"-"+key(rawallocPatch, vfsPatch, bitflipPatch))
	if _, err := os.Stat(dir); err == nil {
		markUsed(dir)
		return dir, nil
	}
	fmt.Fprintf(b.Log, "copying Pebble %s to %s and patching it for wasm\n", version, dir)
	// The copy gets its name once it is complete (H4).
	temporary, err := os.MkdirTemp(b.cache, "pebble-*.tmp")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary)
	if err := copyModule(source, temporary); err != nil {
		return "", fmt.Errorf("copying Pebble from the module cache: %w", err)
	}
	for name, content := range pebblePatches() {
		if err := os.WriteFile(filepath.Join(temporary, name), content, 0o644); err != nil {
			return "", err
		}
	}
	if err := os.Remove(filepath.Join(temporary, pebbleSuperfluous)); err != nil {
		return "", fmt.Errorf("the patch does not fit Pebble %s: %w", version, err)
	}
	if err := os.Rename(temporary, dir); err != nil {
		// Another source tree's build may have been faster.
		if _, statErr := os.Stat(dir); statErr != nil {
			return "", err
		}
	}
	return dir, nil
}

// downloadPebble returns the version of Pebble in go.mod and its place in the
// module cache, into which it is downloaded if need be.
func (b *builder) downloadPebble(ctx context.Context) (version, dir string, err error) {
	args := []string{"mod", "download", "-json", pebbleModule}
	if b.modfile != "" {
		args = slices.Insert(args, 2, "-modfile="+b.modfile)
	}
	out, err := b.goCommand(ctx, nil, args...)
	if err != nil {
		return "", "", fmt.Errorf("getting Pebble's source: %w", err)
	}
	var module struct{ Version, Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", "", fmt.Errorf("output of go mod download: %w", err)
	}
	if module.Dir == "" || module.Version == "" {
		return "", "", fmt.Errorf("go mod download did not say where %s is: %s", pebbleModule, out)
	}
	return module.Version, module.Dir, nil
}

// copyModule copies what is needed to compile a module that is not the main
// one: no tests, no test data.
func copyModule(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case entry.IsDir() && entry.Name() == "testdata":
			return filepath.SkipDir
		case entry.IsDir():
			// The module cache is read-only; the copy must not be.
			return os.MkdirAll(target, 0o755)
		case strings.HasSuffix(entry.Name(), "_test.go"):
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
}
