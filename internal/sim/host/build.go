package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// guestPackage is the simulated program.
const guestPackage = "./internal/sim/guest"

// ErrNoGo says that there is no go command to compile the simulation with.
var ErrNoGo = errors.New("the simulation compiles Plinth for wasm and needs the go command, which is not in PATH: install Go from https://go.dev/dl")

// BuildConfig says what to compile.
type BuildConfig struct {
	// Root is the source tree, see FindSource.
	Root string
	// Module is the directory below Root of another module that holds the
	// simulated program; empty is Root itself.
	Module string
	// Package is the simulated program in the module; empty is Plinth's own.
	Package string
	// CacheDir is where intermediate files are kept; empty is "plinth/sim"
	// below the user's cache directory.
	CacheDir string
	// Overlay replaces files of the source tree, by their path relative to
	// Root, with other content: planted bugs, for one.
	Overlay map[string][]byte
	// Log gets a line before each step that can take long; nil is nobody.
	Log io.Writer
}

// Build compiles the simulated program and returns it. Builds in the same
// cache directory wait for each other.
func Build(ctx context.Context, config BuildConfig) ([]byte, error) {
	b, err := newBuilder(config)
	if err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(b.dir, "LOCK"))
	if _, err := lock.TryLockContext(ctx, lockPollInterval); err != nil {
		return nil, fmt.Errorf("waiting for another build of the simulation (%s): %w", lock.Path(), err)
	}
	defer lock.Unlock()
	b.removeLeftovers()
	pebble, err := b.patchedPebble(ctx)
	if err != nil {
		return nil, err
	}
	return b.compile(ctx, pebble)
}

// Compile compiles packages, by their directories, for this machine: a quick
// way to see whether the files of an overlay are in order.
func Compile(ctx context.Context, config BuildConfig, packages ...string) error {
	b, err := newBuilder(config)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(b.dir, "overlay-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	overlay, err := b.writeOverlay(temporary)
	if err != nil {
		return err
	}
	args := []string{"build", "-overlay=" + overlay}
	for _, dir := range packages {
		args = append(args, "./"+filepath.ToSlash(dir))
	}
	// As the caller's own builds do it, so that what they share is there already.
	_, err = b.goCommand(ctx, []string{"CGO_ENABLED=" + os.Getenv("CGO_ENABLED")}, args...)
	return err
}

type builder struct {
	BuildConfig
	// cache is shared by all source trees, dir belongs to this one.
	cache, dir string
	// modfile is the copy of go.mod to ask for versions; empty is the module's
	// own.
	modfile string
}

func newBuilder(config BuildConfig) (*builder, error) {
	b, err := newPlainBuilder(config)
	if err != nil {
		return nil, err
	}
	if !isSource(b.Root) {
		return nil, fmt.Errorf("%w in %s", ErrNoSource, b.Root)
	}
	if b.Package == "" {
		b.Package = guestPackage
	}
	return b, b.openDir("build-" + key([]byte(b.moduleDir())))
}

// newPlainBuilder returns a builder that has no directory yet.
func newPlainBuilder(config BuildConfig) (*builder, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, ErrNoGo
	}
	root, err := filepath.Abs(config.Root)
	if err != nil {
		return nil, err
	}
	config.Root = root
	cache, err := cacheDir(config.CacheDir)
	if err != nil {
		return nil, err
	}
	if config.Log == nil {
		config.Log = io.Discard
	}
	return &builder{BuildConfig: config, cache: cache}, nil
}

// openDir makes the directory of the build, if it is not there yet.
func (b *builder) openDir(name string) error {
	b.dir = filepath.Join(b.cache, name)
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return fmt.Errorf("cache directory of the simulation: %w", err)
	}
	markUsed(b.dir)
	return nil
}

// moduleDir is where the go command runs.
func (b *builder) moduleDir() string { return filepath.Join(b.Root, b.Module) }

// compile builds the program against the copy of Pebble in the directory
// pebble.
func (b *builder) compile(ctx context.Context, pebble string) ([]byte, error) {
	modfile, err := b.writeModfile(ctx, pebble)
	if err != nil {
		return nil, err
	}
	wasm := filepath.Join(b.dir, "guest.wasm")
	overlay := ""
	if len(b.Overlay) > 0 {
		// A program with other files in it is made for one use.
		temporary, err := os.MkdirTemp(b.dir, "overlay-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(temporary)
		wasm = filepath.Join(temporary, "guest.wasm")
		if overlay, err = b.writeOverlay(temporary); err != nil {
			return nil, err
		}
	}
	fmt.Fprintln(b.Log, "compiling the simulation for wasm (a minute or two the first time)")
	// Without paths of this machine in it, the program is the same everywhere
	// (H1). DWARF would only make it larger.
	args := []string{"build", "-modfile=" + modfile, "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-w", "-o", wasm}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	if _, err := b.goCommand(ctx, []string{"GOOS=wasip1", "GOARCH=wasm"}, append(args, b.Package)...); err != nil {
		return nil, fmt.Errorf("compiling the simulation: %w", err)
	}
	return os.ReadFile(wasm)
}

// writeModfile copies go.mod and go.sum and points Pebble to its patched copy.
func (b *builder) writeModfile(ctx context.Context, pebble string) (string, error) {
	modfile := filepath.Join(b.dir, "go.mod")
	if err := b.copyModuleFiles(); err != nil {
		return "", err
	}
	if _, err := b.goCommand(ctx, nil, "mod", "edit", "-replace="+pebbleModule+"="+pebble, modfile); err != nil {
		return "", err
	}
	return modfile, nil
}

// goCommand runs the go command in the module and returns its standard
// output. Its error holds what the command wrote to standard error.
func (b *builder) goCommand(ctx context.Context, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.moduleDir()
	// The caller's GOFLAGS may hold -race or -mod=vendor, which do not apply.
	cmd.Env = append(append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0"), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.Bytes(), nil
}

// key is a short name for content.
func key(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d ", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
