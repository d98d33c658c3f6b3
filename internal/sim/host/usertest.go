package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// simtestPackage is what a test imports that runs in the simulation.
const simtestPackage = modulePath + "/kv/simtest"

// ErrNoTest says that a package has no test for the simulation.
var ErrNoTest = errors.New("no test to run in the simulation")

// TestConfig says whose tests to compile.
type TestConfig struct {
	// Package names one package as the go command does: by its directory, or by
	// its import path. Dir is the directory from which that is meant; empty is
	// the working directory.
	Package, Dir string
	// Tags are build tags, separated by commas.
	Tags string
	// CacheDir and Log are as in BuildConfig.
	CacheDir string
	Log      io.Writer
}

// Tests are the compiled tests of one package.
type Tests struct {
	// Package is the import path.
	Package string
	// Wasm is the program.
	Wasm []byte
	// Simulated are the tests that call simtest.Run, in the order of the source;
	// All are all tests.
	Simulated, All []string
}

// BuildTests compiles the tests of a package of any module that requires
// Plinth, or of Plinth itself, against the patched Pebble. It needs the go
// command, but no clone of Plinth; the user's go.mod and go.sum are only read.
func BuildTests(ctx context.Context, config TestConfig) (*Tests, error) {
	b, p, err := newTestBuilder(ctx, config)
	if err != nil {
		return nil, err
	}
	tests, err := p.tests()
	if err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(b.dir, "LOCK"))
	if _, err := lock.TryLockContext(ctx, lockPollInterval); err != nil {
		return nil, fmt.Errorf("waiting for another build of the tests (%s): %w", lock.Path(), err)
	}
	defer lock.Unlock()
	b.removeLeftovers()
	if err := b.prepareModfile(ctx); err != nil {
		return nil, err
	}
	pebble, err := b.patchedPebble(ctx)
	if err != nil {
		return nil, err
	}
	if tests.Wasm, err = b.compileTests(ctx, pebble, config.Tags); err != nil {
		return nil, err
	}
	return tests, nil
}

// userPackage is what the go command says of a package.
type userPackage struct {
	Dir, ImportPath string
	// TestGoFiles and XTestGoFiles are those that count for wasm.
	TestGoFiles, XTestGoFiles []string
	Module                    *struct{ Path, Dir, GoMod string }
}

// inModule returns the package as the go command is to look for it: one that is
// named by its directory is seen from there, for it may be in a module that is
// nested in that of the caller.
func (c *TestConfig) inModule() (dir, name string) {
	if !build.IsLocalImport(c.Package) && !filepath.IsAbs(c.Package) {
		return c.Dir, c.Package
	}
	dir = c.Package
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.Dir, dir)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return c.Dir, c.Package // the go command says it better
	}
	return dir, "."
}

// newTestBuilder finds out about the package and its module.
func newTestBuilder(ctx context.Context, config TestConfig) (*builder, *userPackage, error) {
	dir, name := config.inModule()
	b, err := newPlainBuilder(BuildConfig{Root: dir, CacheDir: config.CacheDir, Package: name, Log: config.Log})
	if err != nil {
		return nil, nil, err
	}
	p, err := b.describe(ctx, config.Tags)
	if err != nil {
		return nil, nil, err
	}
	b.Root, b.Package = p.Module.Dir, p.ImportPath
	if err := b.openDir("build-" + key([]byte("test"), []byte(p.Dir), []byte(config.Tags))); err != nil {
		return nil, nil, err
	}
	b.modfile = filepath.Join(b.dir, "go.mod")
	return b, p, nil
}

// wasmEnv makes the go command see what it would compile.
func wasmEnv() []string { return []string{"GOOS=wasip1", "GOARCH=wasm"} }

// asCaller lets the go command see the caller's workspace.
func asCaller() string { return "GOWORK=" + os.Getenv("GOWORK") }

// describe asks the go command what the package is.
func (b *builder) describe(ctx context.Context, tags string) (*userPackage, error) {
	out, err := b.goCommand(ctx, append(wasmEnv(), asCaller()),
		"list", "-tags="+tags, "-json=Dir,ImportPath,TestGoFiles,XTestGoFiles,Module", "--", b.Package)
	if err != nil {
		return nil, fmt.Errorf("looking for the package: %w%s", err, wasmHint)
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	p := new(userPackage)
	if err := decoder.Decode(p); err != nil {
		return nil, fmt.Errorf("output of go list: %w", err)
	}
	switch {
	case decoder.More():
		return nil, fmt.Errorf("%s names several packages; run one at a time", b.Package)
	case p.Module == nil || p.Module.Dir == "":
		return nil, fmt.Errorf("%s is in no module; make one with go mod init", b.Package)
	}
	return p, nil
}

// wasmHint says what may be behind an error of the compiler.
const wasmHint = `
Tests run in the simulation as a program for GOOS=wasip1 GOARCH=wasm, where there is no cgo, and where some of package
syscall is missing. If the package compiles otherwise, keep what does not compile here in files with the line
	//go:build !wasip1`

// prepareModfile copies the module's go.mod and go.sum, with all replacements
// by absolute paths, and with the modules of the caller's workspace.
func (b *builder) prepareModfile(ctx context.Context) error {
	out, err := b.goCommand(ctx, nil, "mod", "edit", "-json", filepath.Join(b.Root, "go.mod"))
	if err != nil {
		return err
	}
	var mod moduleFile
	if err := json.Unmarshal(out, &mod); err != nil {
		return fmt.Errorf("output of go mod edit: %w", err)
	}
	replace, err := mod.replacements(b.Root)
	if err != nil {
		return err
	}
	workspace, err := b.workspace(ctx, mod.Module.Path)
	if err != nil {
		return err
	}
	if err := b.copyModuleFiles(); err != nil {
		return err
	}
	if edits := append(replace, workspace...); len(edits) > 0 {
		_, err := b.goCommand(ctx, nil, append(append([]string{"mod", "edit"}, edits...), b.modfile)...)
		if err != nil {
			return err
		}
	}
	if mod.Module.Path == modulePath {
		return nil
	}
	if _, err := b.goCommand(ctx, nil, "list", "-mod=mod", "-modfile="+b.modfile, "-m", modulePath); err != nil {
		return fmt.Errorf("module %s does not require %s: run go get %[2]s: %w", mod.Module.Path, modulePath, err)
	}
	return nil
}

// moduleFile is what go mod edit -json prints of a go.mod.
type moduleFile struct {
	Module  struct{ Path string }
	Replace []struct {
		Old, New struct{ Path, Version string }
	}
}

// replacements returns the arguments that make the replacements by directories
// absolute, as seen from root.
func (m *moduleFile) replacements(root string) (args []string, err error) {
	for _, r := range m.Replace {
		if r.Old.Path == pebbleModule {
			return nil, fmt.Errorf("module %s replaces %s; the simulation must replace it by a copy that compiles for wasm", m.Module.Path, pebbleModule)
		}
		if r.New.Version != "" || filepath.IsAbs(r.New.Path) {
			continue
		}
		old := r.Old.Path
		if r.Old.Version != "" {
			old += "@" + r.Old.Version
		}
		args = append(args, "-replace="+old+"="+filepath.Join(root, r.New.Path))
	}
	return args, nil
}

// workspace returns the arguments that replace the other modules of the
// caller's workspace, if there is one, by their directories.
func (b *builder) workspace(ctx context.Context, own string) (args []string, err error) {
	out, err := b.goCommand(ctx, []string{asCaller()}, "list", "-m", "-json=Path,Dir")
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for decoder.More() {
		var module struct{ Path, Dir string }
		if err := decoder.Decode(&module); err != nil {
			return nil, fmt.Errorf("output of go list -m: %w", err)
		}
		if module.Path != own {
			args = append(args, "-replace="+module.Path+"="+module.Dir)
		}
	}
	return args, nil
}

// copyModuleFiles copies go.mod and, if there is one, go.sum.
func (b *builder) copyModuleFiles() error {
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(b.moduleDir(), name))
		if err != nil && !(name == "go.sum" && errors.Is(err, os.ErrNotExist)) {
			return err
		}
		if err := os.WriteFile(filepath.Join(b.dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compileTests builds the test binary against the copy of Pebble.
func (b *builder) compileTests(ctx context.Context, pebble, tags string) ([]byte, error) {
	if _, err := b.goCommand(ctx, nil, "mod", "edit", "-replace="+pebbleModule+"="+pebble, b.modfile); err != nil {
		return nil, err
	}
	fmt.Fprintf(b.Log, "compiling the tests of %s for wasm (a minute or two the first time)\n", b.Package)
	wasm := filepath.Join(b.dir, "test.wasm")
	// -mod=mod changes the copy of go.mod only.
	_, err := b.goCommand(ctx, wasmEnv(), "test", "-c", "-vet=off", "-modfile="+b.modfile, "-mod=mod", "-tags="+tags,
		"-trimpath", "-buildvcs=false", "-ldflags=-w", "-o", wasm, b.Package)
	if err != nil {
		return nil, fmt.Errorf("compiling the tests: %w%s", err, wasmHint)
	}
	data, err := os.ReadFile(wasm)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no test files", ErrNoTest, b.Package)
	}
	return data, err
}
